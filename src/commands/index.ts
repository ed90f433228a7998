import type { CommandDefinition } from "./define-command.ts";
import { abortTransaction } from "./abortTransaction.ts";
import { aggregate } from "./aggregate.ts";
import { bulkWrite } from "./bulkWrite.ts";
import { applyOps } from "./applyOps.ts";
import { buildInfo, buildinfo } from "./buildInfo.ts";
import { collMod } from "./collMod.ts";
import { collStats } from "./collStats.ts";
import { commitTransaction } from "./commitTransaction.ts";
import { configureFailPoint } from "./configureFailPoint.ts";
import { connectionStatus } from "./connectionStatus.ts";
import { convertToCapped } from "./convertToCapped.ts";
import { count } from "./count.ts";
import { create } from "./create.ts";
import { createIndexes } from "./createIndexes.ts";
import { dbStats, dbstats } from "./dbStats.ts";
import { deleteCommand } from "./delete.ts";
import { distinct } from "./distinct.ts";
import { drop } from "./drop.ts";
import { dropDatabase } from "./dropDatabase.ts";
import { dropIndexes } from "./dropIndexes.ts";
import { endSessions, killSessions, refreshSessions } from "./endSessions.ts";
import { explain } from "./explain.ts";
import { find } from "./find.ts";
import { findAndModify, findandmodify } from "./findAndModify.ts";
import { getCmdLineOpts } from "./getCmdLineOpts.ts";
import { getLog } from "./getLog.ts";
import { getMore } from "./getMore.ts";
import { getParameter } from "./getParameter.ts";
import { hello, isMaster, ismaster } from "./hello.ts";
import { hostInfo } from "./hostInfo.ts";
import { insert } from "./insert.ts";
import { killAllSessions } from "./killAllSessions.ts";
import { killAllSessionsByPattern } from "./killAllSessionsByPattern.ts";
import { killCursors } from "./killCursors.ts";
import { listCollections } from "./listCollections.ts";
import { listCommands } from "./listCommands.ts";
import { listDatabases } from "./listDatabases.ts";
import { listIndexes } from "./listIndexes.ts";
import { logout } from "./logout.ts";
import { ping } from "./ping.ts";
import { renameCollection } from "./renameCollection.ts";
import { replSetGetStatus } from "./replSetGetStatus.ts";
import { saslContinue } from "./saslContinue.ts";
import { saslStart } from "./saslStart.ts";
import { serverStatus } from "./serverStatus.ts";
import { setParameter } from "./setParameter.ts";
import { startSession } from "./startSession.ts";
import { update } from "./update.ts";
import { validate } from "./validate.ts";
import { whatsmyuri } from "./whatsmyuri.ts";
import { currentOp } from "./currentOp.ts";
import { dataSize } from "./dataSize.ts";
import { fsync } from "./fsync.ts";
import { getDefaultRWConcern } from "./getDefaultRWConcern.ts";
import { killOp } from "./killOp.ts";
import { userManagementCommands } from "./manage-users.ts";
import { profile } from "./profile.ts";
import { replSetGetConfig } from "./replSetGetConfig.ts";
import { rolesInfo } from "./rolesInfo.ts";
import { testVersion2 } from "./testVersion2.ts";
import { top } from "./top.ts";
import { usersInfo } from "./usersInfo.ts";

/** Every command, in alphabetical order, and those that are refused by a rule. */
export const commands: readonly CommandDefinition[] = [
  abortTransaction,
  aggregate,
  bulkWrite,
  applyOps,
  buildInfo,
  buildinfo,
  collMod,
  collStats,
  commitTransaction,
  configureFailPoint,
  connectionStatus,
  convertToCapped,
  count,
  create,
  createIndexes,
  currentOp,
  dataSize,
  dbStats,
  dbstats,
  deleteCommand,
  distinct,
  drop,
  dropDatabase,
  dropIndexes,
  endSessions,
  explain,
  find,
  findAndModify,
  findandmodify,
  fsync,
  getCmdLineOpts,
  getDefaultRWConcern,
  getLog,
  getMore,
  getParameter,
  hello,
  hostInfo,
  insert,
  isMaster,
  ismaster,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  listCollections,
  listCommands,
  listDatabases,
  listIndexes,
  logout,
  ping,
  profile,
  refreshSessions,
  replSetGetConfig,
  renameCollection,
  replSetGetStatus,
  rolesInfo,
  saslContinue,
  saslStart,
  serverStatus,
  setParameter,
  startSession,
  testVersion2,
  top,
  update,
  usersInfo,
  ...userManagementCommands,
  validate,
  whatsmyuri,
];

const byName: ReadonlyMap<string, CommandDefinition> = new Map(commands.map((command) => [command.name, command]));

/** The command of that name; undefined when there is none. */
export function commandNamed(name: string): CommandDefinition | undefined {
  return byName.get(name);
}
