import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { account, type Bench, bench, folderWith } from "../support/bench.ts";
import { Certified, host, url } from "../support/certified.ts";
import { ders } from "../support/chain.ts";
import { crosstrust, environmentOf, run, start } from "../support/cli.ts";
import { witnessed } from "../support/witness.ts";

// An issuer that we did not write, certified by the OpenID Foundation, under a CA of its own; its users' tokens are
// taken to AWS by a client that we did not write either.

const role = `arn:aws:iam::${account}:role/crosstrust/engineers`;

/** A federation file whose tokens come from a file; `more` goes into `from.oidc`. */
function stage(more = "") {
  const folder = folderWith("");
  const tokenFile = join(folder, "token");
  const text = `crosstrust: 1
name: acme
links:
  engineers:
    from: { oidc: { issuer: ${url}, clientId: aws-access-client, subject: user-123, mint: { tokenFile: ${tokenFile} }${more} } }
    to:   { aws: { account: ${account}, role: engineers } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
  writeFileSync(join(folder, "federation.yaml"), text);
  return { folder, text, give: (token: string) => writeFileSync(tokenFile, `${token}\n`) };
}

const words = (token: string) =>
  ["sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "s1"].concat(
    ...["--web-identity-token", token],
  );

/** What the aws CLI says of a token: the session's ARN, or its error. */
async function assumed(b: Bench, folder: string, token: string): Promise<string> {
  const env = await environmentOf(b.url, folder);
  const { exit, out, err } = await run("aws", words(token), { env, cwd: folder });
  return exit === 0 ? (JSON.parse(out) as { AssumedRoleUser: { Arn: string } }).AssumedRoleUser.Arn : err.trim();
}

const session = `arn:aws:sts::${account}:assumed-role/engineers/s1`;
const sorry = (code: string, says: string) =>
  expect.stringContaining(
    `An error occurred (${code}) when calling the AssumeRoleWithWebIdentity operation: ${says}`,
  ) as string;
const noKey = sorry("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please");

describe("under a CA that is trusted", () => {
  witnessed("aws")(
    "whoever the file names gets in, nobody else does, and a key that is gone proves nothing",
    async () => {
      const issuer = await Certified.start();
      const b = await bench({ hosts: new Map([[host, issuer.port]]), anchors: [issuer.root] });
      const { folder, text, give } = stage();
      const token = await issuer.signIn("user-123");
      give(token);

      const { traces } = await b.apply(text);
      const hops = traces[0]?.hops.map(({ step, result, how }) => `${step} ${result} ${how}`);
      // Nobody else's token can be had here, so the refusals are judged and not proved.
      expect([hops, traces[0]?.findings]).toEqual([
        ["mint ok proved", "exchange ok proved", "whoami ok proved", "refuse ok judged"],
        [],
      ]);
      expect((await b.health(text)).verdict).toBe("works");

      expect(await assumed(b, folder, token)).toBe(session);
      expect(await assumed(b, folder, await issuer.signIn("user-999"))).toEqual(
        sorry("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
      );
      expect(await assumed(b, folder, await issuer.signIn("user-123", "another-client"))).toEqual(
        sorry("InvalidIdentityToken", "The web identity token provided could not be validated."),
      );

      issuer.rotateKeys();
      expect(await assumed(b, folder, token)).toEqual(noKey);
      // With these words aws may as well have failed to reach the issuer; that the issuer no longer serves the token's key was read.
      const gone = await b.health(text);
      expect([gone.verdict, gone.findings.map(({ code }) => code)]).toEqual([
        "broken",
        expect.arrayContaining(["AWS-NO-KEYS"]),
      ]);
      give(await issuer.signIn("user-123"));
      expect(await assumed(b, folder, await issuer.signIn("user-123"))).toBe(session);
      expect((await b.health(text)).verdict).toBe("works");

      // A public CA vouches for it, so a new certificate is no reason to write.
      await issuer.rotateCertificate();
      const { plan } = await b.plan(text);
      expect(plan.changes.map(({ verb }) => verb)).toEqual(plan.changes.map(() => "keep"));
      expect(await assumed(b, folder, await issuer.signIn("user-123"))).toBe(session);
    },
  );

  test("a token of another link is the stranger that the refusal is proved with", async () => {
    const issuer = await Certified.start();
    const b = await bench({ hosts: new Map([[host, issuer.port]]), anchors: [issuer.root] });
    const { folder, text, give } = stage();
    give(await issuer.signIn("user-123"));
    const second = join(folder, "second");
    writeFileSync(second, await issuer.signIn("user-999"));
    const from = `issuer: ${url}, clientId: aws-access-client, subject: user-999, mint: { tokenFile: ${second} }`;
    const link = `  second:\n    from: { oidc: { ${from} } }\n    to:   { aws: { account: ${account}, role: second } }\n`;
    const { traces } = await b.apply(`${text}${link}    may:  [ arn:aws:iam::aws:policy/ReadOnlyAccess ]\n`);
    expect(traces.map(({ hops }) => hops.at(-1)?.saw)).toEqual([
      "turned away: a token of second, a token for another audience",
      "turned away: a token of engineers, a token for another audience",
    ]);
    const tried = b.calls.filter(({ operation }) => operation === "AssumeRoleWithWebIdentity");
    expect(tried.map(({ status }) => status).sort()).toEqual([200, 200, 403, 403]);
  });

  witnessed("aws")("with the command itself: sandbox, apply, sandbox exec", async () => {
    const issuer = await Certified.start();
    const { folder, give } = stage();
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, issuer.root);
    const token = await issuer.signIn("user-123");
    give(token);
    const map = ["--host-map", `${host}=127.0.0.1:${issuer.port}`, "--ca", ca];
    const options = { cwd: folder, until: /http:\/\/127\.0\.0\.1:\d+/ };
    const { match } = await start(["sandbox", "--port", "0", ...map], options);
    const env = { ...process.env, CROSSTRUST_SANDBOX: match[0] };
    const applied = await crosstrust("apply", { cwd: folder, env });
    expect([applied.exit, applied.err]).toEqual([0, expect.not.stringContaining("error")]);
    const { exit, out } = await crosstrust(["sandbox", "exec", "--", "aws", ...words(token)], { cwd: folder, env });
    expect([exit, JSON.parse(out)]).toMatchObject([
      0,
      { AssumedRoleUser: { Arn: session }, Audience: "aws-access-client" },
    ]);
    const stranger = await issuer.signIn("user-999");
    const no = await crosstrust(["sandbox", "exec", "--", "aws", ...words(stranger)], { cwd: folder, env });
    expect([no.exit, no.err]).toEqual([255, sorry("AccessDenied", "Not authorized")]);
  });
});

describe("under a CA that nobody knows", () => {
  witnessed("aws", "openssl")(
    "aws knows it by the certificate that openssl shows last, until that one changes",
    async () => {
      const issuer = await Certified.start();
      const b = await bench({ hosts: new Map([[host, issuer.port]]), anchors: [] });
      const { folder, text, give } = stage(", tls: private-ca");
      const token = await issuer.signIn("user-123");
      give(token);
      const { traces } = await b.apply(text);
      expect(traces[0]?.findings).toEqual([]);
      const stored = () =>
        b.sandbox.state.list<{ thumbprints: readonly string[] }>("aws.oidcProvider/").map(([, one]) => one.thumbprints);
      expect(stored()).toEqual([[await lastShown(issuer.port)]]);
      expect(await assumed(b, folder, token)).toBe(session);

      await issuer.rotateCertificate();
      const mismatch = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint";
      expect(await assumed(b, folder, token)).toEqual(sorry("InvalidIdentityToken", mismatch));
      const { plan } = await b.plan(text);
      const moved = plan.changes.filter(({ verb }) => verb !== "keep");
      expect(moved).toMatchObject([{ address: `aws:oidcProvider/${account}/${host}`, verb: "update", cause: "moved" }]);
      expect((await b.health(text)).verdict).toBe("broken");

      await b.apply(text);
      expect(stored()).toEqual([[await lastShown(issuer.port)]]);
      expect(await assumed(b, folder, token)).toBe(session);
      expect((await b.health(text)).verdict).toBe("works");
      expect((await b.plan(text)).plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
    },
  );
});

/** AWS's own recipe: SHA-1 of the last certificate that `openssl s_client -showcerts` shows. */
async function lastShown(port: number): Promise<string> {
  const connect = ["s_client", "-showcerts", "-connect", `127.0.0.1:${port}`, "-servername", host];
  const { out } = await run("openssl", connect, { input: "" });
  const last = ders(out.split("Server certificate")[0] ?? "").at(-1) ?? "";
  return createHash("sha1").update(Buffer.from(last, "base64")).digest("hex");
}
