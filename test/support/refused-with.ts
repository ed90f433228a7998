import { MongoServerError } from "mongodb";

/** For `assert.rejects`: an error that the server answered, with this code. */
export const refusedWith =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && error.code === code;
