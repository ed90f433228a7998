import { defineCommand } from "./define-command.ts";

/** `testVersion2`: a command that is in no API version of this server, for tests of clients that ask for one. */
export const testVersion2 = defineCommand({
  name: "testVersion2",
  action: "any",
  testOnly: true,
  run: async (parameters) => {
    parameters.rejectUnknown();
    return [];
  },
});
