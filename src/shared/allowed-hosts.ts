import { BlockList, isIP } from "node:net";

/**
 * What an operator lets others have connected to: `none`, `any`, or a list of host names (`db.example.com`), names below a domain (`*.example.com`), addresses and
 * networks (`10.0.0.0/8`, `fd00::/8`).
 */
export type HostRules = "any" | "none" | readonly string[];

/** Decides by name before anything is looked up, and by address right before a connection is made, so that a name that points elsewhere later opens nothing. */
export interface AllowedHosts {
  readonly none: boolean;
  /** `later`: a name that may be reached when its address may. */
  host(host: string): "yes" | "no" | "later";
  /** `host` is what was looked up. */
  address(address: string, host: string): boolean;
}

/** Addresses that name this machine's own network card: where clouds keep the credentials of a machine. They are allowed only by a network that is listed. */
const linkLocal: readonly string[] = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"];

/** Whether the text is a rule of a list. */
export function isHostRule(text: string): boolean {
  return networkOf(text) !== undefined || /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(text);
}

export function allowedHosts(rules: HostRules): AllowedHosts {
  const listed = rules === "any" || rules === "none" ? [] : rules;
  const networks = blockList(listed);
  const never = blockList(linkLocal);
  const names = listed.filter((rule) => networkOf(rule) === undefined).map((rule) => rule.toLowerCase());
  const hasNetworks = names.length < listed.length;
  const isNamed = (host: string): boolean =>
    rules === "any" || names.some((name) => (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name));
  const allows = (address: string, named: boolean): boolean => {
    if (rules === "none") return false;
    if (contains(networks, address)) return true;
    return named && !contains(never, address);
  };
  return {
    none: rules === "none",
    host(text) {
      const host = text.toLowerCase().replace(/\.$/, "");
      if (rules === "none") return "no";
      if (isIP(host) > 0) return allows(host, rules === "any") ? "yes" : "no";
      if (isNamed(host)) return "yes";
      return hasNetworks ? "later" : "no";
    },
    address: (address, host) => allows(address, isNamed(host.toLowerCase().replace(/\.$/, ""))),
  };
}

function contains(list: BlockList, address: string): boolean {
  // Addresses of the older kind that are written as ones of the newer are known as what they are.
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function blockList(rules: readonly string[]): BlockList {
  const list = new BlockList();
  for (const rule of rules) {
    const network = networkOf(rule);
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family);
  }
  return list;
}

function networkOf(
  rule: string,
): { readonly address: string; readonly prefix: number; readonly family: "ipv4" | "ipv6" } | undefined {
  const [address = "", prefixText, ...rest] = rule.split("/");
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  const prefix = prefixText === undefined ? longest : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (family === 0 || rest.length > 0 || !(prefix <= longest)) return undefined;
  return { address, prefix, family: family === 6 ? "ipv6" : "ipv4" };
}
