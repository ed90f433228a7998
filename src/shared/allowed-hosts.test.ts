import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allowedHosts, isHostRule } from "./allowed-hosts.ts";

describe("which hosts may be reached", () => {
  test("none is none", () => {
    const hosts = allowedHosts("none");
    assert.ok(hosts.none);
    assert.deepEqual([hosts.host("db.example.com"), hosts.host("10.0.0.1")], ["no", "no"]);
    assert.equal(hosts.address("10.0.0.1", "db.example.com"), false);
  });

  test("any is any but addresses where clouds keep credentials, also when a name points there", () => {
    const hosts = allowedHosts("any");
    for (const host of ["db.example.com", "127.0.0.1", "10.1.2.3", "::1"]) assert.equal(hosts.host(host), "yes", host);
    for (const address of [
      "169.254.169.254",
      "169.254.0.0",
      "169.254.255.255",
      "fe80::1",
      "fd00:ec2::254",
      "::ffff:169.254.169.254",
    ]) {
      assert.equal(hosts.host(address), "no", address);
      assert.equal(hosts.address(address, "innocent.example.com"), false, address);
    }
    for (const address of ["169.253.255.255", "169.255.0.0"]) assert.equal(hosts.host(address), "yes", address);
  });

  test("a list allows its names, names below its domains, addresses and networks, and nothing else", () => {
    const hosts = allowedHosts(["db.example.com", "*.mongo.example.com", "10.0.0.0/8", "fd00::/8", "192.168.1.7"]);
    for (const host of [
      "db.example.com",
      "DB.Example.COM",
      "db.example.com.",
      "a.b.mongo.example.com",
      "10.255.0.1",
      "fd00::1",
      "192.168.1.7",
    ])
      assert.equal(hosts.host(host), "yes", host);
    for (const host of ["192.168.1.8", "11.0.0.1", "127.0.0.1"]) assert.equal(hosts.host(host), "no", host);
    for (const name of ["example.com", "xdb.example.com", "mongo.example.com", "evilmongo.example.com"])
      assert.equal(hosts.host(name), "later", name);
    assert.equal(hosts.address("10.1.1.1", "unknown.example.com"), true);
    assert.equal(hosts.address("11.1.1.1", "unknown.example.com"), false);
    assert.equal(hosts.address("11.1.1.1", "db.example.com"), true);
    assert.equal(hosts.address("169.254.169.254", "db.example.com"), false);
  });

  test("with names alone a name that is not listed is refused before it is looked up", () => {
    assert.equal(allowedHosts(["db.example.com"]).host("other.example.com"), "no");
  });

  test("what is no rule is not taken for one", () => {
    for (const rule of ["db.example.com", "*.example.com", "10.0.0.0/8", "10.0.0.0/32", "::/0", "localhost", "db_1"])
      assert.ok(isHostRule(rule), rule);
    for (const rule of [
      "",
      "*",
      "*.",
      "10.0.0.0/33",
      "10.0.0.0/8/8",
      "10.0.0.0/x",
      "a b",
      "db.example.com:27017",
      "-x",
    ])
      assert.ok(!isHostRule(rule), rule);
  });
});
