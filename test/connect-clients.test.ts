import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bench, example, folderWith } from "./support/bench.ts";
import { environmentOf, run } from "./support/cli.ts";
import { witnessed } from "./support/witness.ts";

// How programs that know nothing of the sandbox reach it: by its proxy, each in its own way.

const metadata = "http://metadata.google.internal/computeMetadata/v1/project/project-id";

describe("fetch of Node", () => {
  test("reaches HTTPS hosts and the metadata server, because exec tells it to look at the proxies", async () => {
    const b = await bench();
    await b.apply(example);
    const cwd = folderWith(example);
    const env = await environmentOf(b.url, cwd);
    const script = `
      const project = await fetch("${metadata}", { headers: { "metadata-flavor": "Google" } });
      const sts = await fetch("https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
      const no = await fetch("https://example.com").then(() => "answered", () => "refused");
      console.log(JSON.stringify([await project.text(), sts.status, (await sts.text()).includes("MissingAuth"), no]));`;
    const { out, err } = await run(process.execPath, ["--input-type=module", "-e", script], { env, cwd });
    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual(["acme-prod", 403, true, "refused"]);
  });
});

describe("curl", () => {
  witnessed("curl").each([["--http1.0"], ["--http1.1"], ["--http2"]])("reaches a cloud with %s", async (version) => {
    const b = await bench();
    const env = await environmentOf(b.url, folderWith(example));
    const url = "https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    const { exit, out, err } = await run("curl", ["-sS", version, url], { env });
    expect([exit, err, out]).toEqual([0, "", expect.stringContaining("MissingAuthenticationToken")]);
  });

  witnessed("curl")("reaches the metadata server through a tunnel to port 80, by any of its names", async () => {
    const b = await bench();
    await b.apply(example);
    const env = await environmentOf(b.url, folderWith(example));
    for (const host of ["metadata.google.internal", "metadata", "169.254.169.254"]) {
      const url = `http://${host}/computeMetadata/v1/project/project-id`;
      const { out } = await run("curl", ["-sS", "--proxytunnel", "-H", "metadata-flavor: Google", url], { env });
      expect([host, out]).toEqual([host, "acme-prod"]);
    }
    const { exit } = await run("curl", ["-sS", "--proxytunnel", "http://sts.amazonaws.com/"], { env });
    expect(exit).not.toBe(0);
  });
});

test("the folder of the files that exec names is the sandbox's own", async () => {
  const b = await bench();
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  expect(env.SSL_CERT_FILE?.startsWith(join(folder))).toBe(true);
});
