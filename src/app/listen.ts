/** Listens at the address that the environment names, or says why it cannot. */
import { createServer, type Server } from "node:http";
import { BatonError } from "../core/errors.ts";

export interface Address {
  port: number;
  host: string;
}

const reasons: Record<string, string> = {
  EADDRINUSE: "something else listens there",
  EACCES: "this user may not listen there",
  EADDRNOTAVAIL: "this machine does not have that address",
  ENOTFOUND: "that name has no address",
};

export function cannotListen({ port, host }: Address, cause: NodeJS.ErrnoException): BatonError {
  const why = reasons[cause.code ?? ""] ?? cause.message;
  return new BatonError("BATON_ADDRESS_UNAVAILABLE", `Baton cannot listen at ${host}:${port}: ${why}.`, { cause });
}

export async function listen(server: Server, address: Address): Promise<void> {
  const { port, host } = address;
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException): void => reject(cannotListen(address, cause));
    server.once("error", refused);
    server.listen(port, host, () => {
      server.off("error", refused);
      resolve();
    });
  });
}

/** Checks that the address is free before Baton begins slower work. */
export async function tryAddress(address: Address): Promise<void> {
  const server = createServer();
  await listen(server, address);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
