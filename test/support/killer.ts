import { type ChildProcess, spawn } from "node:child_process";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";

const cli = join(import.meta.dirname, "..", "..", "src", "cli.ts");

export interface Kill {
  /** Which call of the command, from 1; the control endpoints do not count. */
  readonly at: number;
  readonly when: "before" | "after";
}

export interface Killed {
  /** How many calls got as far as the proxy. */
  readonly calls: number;
  readonly killed: boolean;
  readonly exit: number | null;
}

/** Runs a command against a sandbox through a proxy that kills it (SIGKILL) at one call, before it lands or after. */
export async function runAndKill(
  url: string,
  words: readonly string[],
  options: { cwd: string; kill?: Kill },
): Promise<Killed> {
  const { cwd, kill } = options;
  let child: ChildProcess | undefined;
  let calls = 0;
  let killed = false;
  const end = () => {
    killed = true;
    child?.kill("SIGKILL");
  };
  const proxy = http.createServer((request, response) => {
    const counted = !request.url?.startsWith("/_sandbox/");
    const mine = counted ? ++calls : 0;
    if (killed || (kill?.when === "before" && mine === kill.at)) return end();
    const forward = http.request(
      `${url}${request.url}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        // Landed; the answer never arrives.
        if (kill?.when === "after" && mine === kill.at) return end();
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    forward.on("error", () => response.destroy());
    request.pipe(forward);
  });
  // An issuer is reached through CONNECT: nothing is written there, so it is no point to be killed at.
  const tunnels = new Set<net.Socket>();
  proxy.on("connect", (request, socket: net.Socket) => {
    const { hostname, port: at } = new URL(url);
    const there = net.connect(Number(at), hostname, () => {
      const lines = [`CONNECT ${request.url} HTTP/1.1`, `Host: ${request.headers.host}`, "", ""];
      there.write(lines.join("\r\n"));
      there.pipe(socket).pipe(there);
    });
    for (const one of [there, socket]) {
      tunnels.add(one);
      one.on("error", () => one.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const env = { ...process.env, CROSSTRUST_SANDBOX: `http://127.0.0.1:${port}`, NODE_EXTRA_CA_CERTS: "" };
  const exit = await new Promise<number | null>((resolve) => {
    child = spawn(process.execPath, [cli, ...words], { cwd, env, stdio: "ignore" });
    child.on("exit", resolve);
  });
  for (const one of tunnels) one.destroy();
  proxy.closeAllConnections();
  proxy.close();
  return { calls, killed, exit };
}
