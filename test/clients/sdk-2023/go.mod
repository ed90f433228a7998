module telamon/test/clients/sdk-2023

go 1.22

require go.mongodb.org/atlas-sdk/v20231001001 v20231001001.0.0

require github.com/mongodb-forks/digest v1.0.5 // indirect
