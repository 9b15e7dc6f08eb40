import type { Host } from "../../src/sandbox/fake.ts";

/** A call under a real name, as one cloud's service makes it to another. Throws where no answer comes. */
export async function reach(
  deliver: Host["deliver"],
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: string }> {
  const { method = "GET", headers = {}, body } = init;
  const bytes = body === undefined ? {} : { body: Buffer.from(body) };
  const answer = await deliver({ method, url, headers, ...bytes, timeout: 60_000 });
  if ("failure" in answer) throw new Error(answer.says);
  return { ...answer, body: Buffer.from(answer.body).toString() };
}
