// The network of an address that counts as one client.

/** An IPv4 address itself, also when it is mapped into IPv6; the first 64 bits of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const before = toGroups(head);
  const after = toGroups(tail ?? "");
  // A dotted IPv4 address at the end is two groups long.
  const length = before.length + after.length + (address.includes(".") ? 1 : 0);
  const groups = [...before, ...Array<string>(Math.max(0, 8 - length)).fill("0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

function toGroups(part: string): string[] {
  return part === "" ? [] : part.split(":");
}
