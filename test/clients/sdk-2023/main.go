// The Atlas SDK for Go of October 2023, unchanged, with an API key (HTTP digest), against a running Telamon with its demo.
// Configured by TELAMON_CREDENTIALS, the path of credentials.json. Prints a line for each check; exits 1 when one failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go.mongodb.org/atlas-sdk/v20231001001/admin"
)

type credentials struct {
	BaseURL string `json:"baseUrl"`
	GroupID string `json:"groupId"`
	APIKey  struct {
		PublicKey  string `json:"publicKey"`
		PrivateKey string `json:"privateKey"`
	} `json:"apiKey"`
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
	client, err := admin.NewClient(admin.UseBaseURL(c.BaseURL), admin.UseDigestAuth(c.APIKey.PublicKey, c.APIKey.PrivateKey))
	if !check("a client is made", err) {
		os.Exit(1)
	}
	ctx := context.Background()

	list, _, err := client.CloudBackupsApi.ListServerlessBackups(ctx, c.GroupID, c.Demo.Instance).Execute()
	if check("snapshots are listed", err) {
		expect("there is a completed snapshot", list.GetTotalCount() >= 1 && list.Results[0].GetStatus() == "completed", list)
		one, _, err := client.CloudBackupsApi.GetServerlessBackup(ctx, c.GroupID, c.Demo.Instance, list.Results[0].GetId()).Execute()
		if check("one snapshot is got", err) {
			expect("it is the one of the list", one.GetId() == list.Results[0].GetId() && one.GetStorageSizeBytes() > 0, one)
		}
	}
	page, _, err := client.CloudBackupsApi.ListServerlessBackups(ctx, c.GroupID, c.Demo.Instance).ItemsPerPage(1).PageNum(1000).Execute()
	if check("a page past the end is listed", err) {
		expect("it is empty", len(page.Results) == 0, page)
	}

	_, _, err = client.ServerlessInstancesApi.GetServerlessInstance(ctx, c.GroupID, "NoSuchInstance").Execute()
	if apiError, ok := admin.AsError(err); ok {
		expect("a missing instance is 404 with its code", apiError.GetError() == 404 && apiError.GetErrorCode() == "SERVERLESS_INSTANCE_NOT_FOUND", apiError)
	} else {
		check("a missing instance is an API error", fmt.Errorf("got %v", err))
	}

	name := fmt.Sprintf("Sdk%d", time.Now().Unix())
	_, _, err = client.ServerlessInstancesApi.CreateServerlessInstance(ctx, c.GroupID, &admin.ServerlessInstanceDescriptionCreate{
		Name:             name,
		ProviderSettings: admin.ServerlessProviderSettings{BackingProviderName: "AWS", RegionName: "US_EAST_1"},
	}).Execute()
	check("an instance is created", err)
	check("it becomes IDLE", waitFor(func() (bool, error) {
		found, _, err := client.ServerlessInstancesApi.GetServerlessInstance(ctx, c.GroupID, name).Execute()
		return err == nil && found.GetStateName() == "IDLE", err
	}))
	enabled := true
	updated, _, err := client.ServerlessInstancesApi.UpdateServerlessInstance(ctx, c.GroupID, name, &admin.ServerlessInstanceDescriptionUpdate{TerminationProtectionEnabled: &enabled}).Execute()
	if check("it is updated", err) {
		expect("the change is echoed", updated.GetTerminationProtectionEnabled(), updated)
	}
	_, _, err = client.ServerlessInstancesApi.DeleteServerlessInstance(ctx, c.GroupID, name).Execute()
	expect("it cannot be deleted under protection", err != nil, err)
	enabled = false
	_, _, err = client.ServerlessInstancesApi.UpdateServerlessInstance(ctx, c.GroupID, name, &admin.ServerlessInstanceDescriptionUpdate{TerminationProtectionEnabled: &enabled}).Execute()
	check("protection is taken off", err)
	instances, _, err := client.ServerlessInstancesApi.ListServerlessInstances(ctx, c.GroupID).Execute()
	if check("instances are listed", err) {
		expect("it is among them", instances.GetTotalCount() >= 2, instances)
	}
	_, _, err = client.ServerlessInstancesApi.DeleteServerlessInstance(ctx, c.GroupID, name).Execute()
	check("it is deleted", err)
	check("it is gone", waitFor(func() (bool, error) {
		_, _, err := client.ServerlessInstancesApi.GetServerlessInstance(ctx, c.GroupID, name).Execute()
		return err != nil, nil
	}))
	projects, _, err := client.ProjectsApi.ListProjects(ctx).Execute()
	if check("projects are listed", err) {
		expect("the project is among them", projects.GetTotalCount() >= 1, projects)
	}
	if failed {
		os.Exit(1)
	}
}

func waitFor(done func() (bool, error)) error {
	var last error
	for range 100 {
		ok, err := done()
		if ok {
			return nil
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("waited 10 s: %v", last)
}
