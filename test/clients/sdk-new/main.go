// The newest Atlas SDK for Go with a service account (OAuth), against a running Telamon with its demo. It has kept GET of serverless instances alone; the
// snapshots are asked for with the newest SDK that still has those calls, and once more with the newest one's own authenticated HTTP client.
// Configured by TELAMON_CREDENTIALS, the path of credentials.json. Prints a line for each check; exits 1 when one failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	newest "go.mongodb.org/atlas-sdk/v20250312020/admin"
	"go.mongodb.org/atlas-sdk/v20250312020/auth/clientcredentials"
	older "go.mongodb.org/atlas-sdk/v20250312010/admin"
)

type credentials struct {
	BaseURL        string `json:"baseUrl"`
	GroupID        string `json:"groupId"`
	ServiceAccount struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	} `json:"serviceAccount"`
	Demo struct {
		Instance string `json:"instance"`
	} `json:"demo"`
}

var failed = false

func check(name string, err error) bool {
	if err != nil {
		failed = true
		fmt.Printf("FAIL %s: %v\n", name, err)
		return false
	}
	fmt.Printf("ok %s\n", name)
	return true
}

func expect(name string, condition bool, got any) {
	if condition {
		check(name, nil)
	} else {
		check(name, fmt.Errorf("got %v", got))
	}
}

func main() {
	var c credentials
	text, err := os.ReadFile(os.Getenv("TELAMON_CREDENTIALS"))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if !check("credentials are read", err) {
		os.Exit(1)
	}
	ctx := context.Background()
	config := clientcredentials.NewConfig(c.ServiceAccount.ClientID, c.ServiceAccount.ClientSecret)
	config.TokenURL = c.BaseURL + "/api/oauth/token"
	config.RevokeURL = c.BaseURL + "/api/oauth/revoke"
	authorized := config.Client(ctx)

	client, err := newest.NewClient(newest.UseBaseURL(c.BaseURL), newest.UseHTTPClient(authorized))
	if !check("a client is made", err) {
		os.Exit(1)
	}
	projects, _, err := client.ProjectsApi.ListGroups(ctx).Execute()
	if check("projects are listed", err) {
		expect("the project is among them", projects.GetTotalCount() >= 1, projects)
	}
	instance, _, err := client.ServerlessInstancesApi.GetServerlessInstance(ctx, c.GroupID, c.Demo.Instance).Execute()
	if check("the instance is got", err) {
		expect("it is IDLE", instance.GetStateName() == "IDLE", instance)
	}

	before, err := older.NewClient(older.UseBaseURL(c.BaseURL), older.UseHTTPClient(authorized))
	if check("a client of the older SDK is made", err) {
		list, _, err := before.CloudBackupsApi.ListServerlessBackupSnapshots(ctx, c.GroupID, c.Demo.Instance).Execute()
		if check("snapshots are listed", err) {
			expect("there is a completed snapshot", list.GetTotalCount() >= 1 && list.GetResults()[0].GetStatus() == "completed", list)
			one, _, err := before.CloudBackupsApi.GetServerlessBackupSnapshot(ctx, c.GroupID, c.Demo.Instance, list.GetResults()[0].GetId()).Execute()
			if check("one snapshot is got", err) {
				expect("it is the one of the list", one.GetId() == list.GetResults()[0].GetId(), one)
			}
		}
		name := "SdkNew"
		_, _, err = before.ServerlessInstancesApi.CreateServerlessInstance(ctx, c.GroupID, &older.ServerlessInstanceDescriptionCreate{
			Name:             name,
			ProviderSettings: older.ServerlessProviderSettings{BackingProviderName: "AWS", RegionName: "US_EAST_1"},
		}).Execute()
		check("an instance is created", err)
		_, _, err = before.ServerlessInstancesApi.DeleteServerlessInstance(ctx, c.GroupID, name).Execute()
		check("it is deleted", err)
	}

	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/atlas/v2/groups/%s/serverless/%s/backup/snapshots", c.BaseURL, c.GroupID, c.Demo.Instance), nil)
	request.Header.Set("Accept", "application/vnd.atlas.2025-03-12+json")
	response, err := authorized.Do(request)
	if check("snapshots are asked for with the newest SDK's HTTP client", err) {
		body, _ := io.ReadAll(response.Body)
		expect("a later version date answers the newest there is", response.StatusCode == 200 && response.Header.Get("Content-Type") == "application/vnd.atlas.2023-01-01+json;charset=utf-8", string(body))
	}
	token, err := config.Token(ctx)
	if check("a token is got", err) {
		check("it is revoked", config.RevokeToken(ctx, token))
	}
	if failed {
		os.Exit(1)
	}
}
