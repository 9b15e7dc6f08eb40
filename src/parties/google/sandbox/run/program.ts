import { createRequire } from "node:module";
import type { Host, Program, ProgramSpec } from "../../../../sandbox/fake.ts";
import { noteLog } from "../logging.ts";
import { mainOf } from "./builds.ts";
import { environmentOf, imageOf } from "./knative.ts";
import { entryOf } from "./lines.ts";
import { keyOf, type StoredService } from "./store.ts";
import { unzip } from "./zip.ts";

const framework = "@google-cloud/functions-framework";

/** Under this key a service's process runs, one for all its revisions. */
export const programKey = (service: StoredService): string => keyOf(service);

/** What a service runs, as the sandbox starts it; seconds after which a request is given up as its template says. */
export function programOf(host: Host, service: StoredService): Program {
  const seconds = service.template.spec?.timeoutSeconds ?? 300;
  return {
    key: programKey(service),
    version: service.revision,
    deadline: seconds * 1000,
    prepare: () => prepare(host, service),
    said: (line, stream) => noteLog(host, entryOf(host, service, { line, stream })),
  };
}

/**
 * The source with the framework beside it. `K_SERVICE` is left out on purpose: where it is set, a function of
 * crosstrust refuses the sandbox (contract, section 5).
 */
function prepare(host: Host, service: StoredService): ProgramSpec {
  const image = imageOf(host, service.template);
  const zip = image && host.blobs.get(image.source);
  if (!zip) throw new Error("the image has no source");
  const files = unzip(zip);
  return {
    files,
    links: { [`node_modules/${framework}`]: frameworkFolder() },
    code: launcher(mainOf(files) ?? "", image.target ?? "function"),
    env: {
      ...environmentOf(service),
      NODE_ENV: "production",
      GOOGLE_CLOUD_PROJECT: service.project,
      CROSSTRUST_SANDBOX: host.base,
    },
  };
}

/** Where this package's own copy lies: in life the platform's build installs one into the source. */
function frameworkFolder(): string {
  const entry = createRequire(import.meta.url).resolve(framework);
  return entry.slice(0, entry.lastIndexOf(framework) + framework.length);
}

/** The framework's own command listens on all interfaces; its server for tests does not (serverless.md, trap 7). */
const launcher = (main: string, target: string): string => `
const { getTestServer } = await import("${framework}/testing");
await import(${JSON.stringify(`./${main}`)});
const server = getTestServer(${JSON.stringify(target)});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
`;
