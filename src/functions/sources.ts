import { controlAudience } from "../crosstrust/control.ts";
import type { CredentialsAsk, Federation, Session, World } from "../model.ts";
import { sourcesFor } from "../parties/sources.ts";
import { deployment, type FunctionName } from "./deployment.ts";

/**
 * As whom a function goes to other clouds, where its file has a control plane: what checks is another one than what
 * writes (fact sheet reliability-and-security, 4.4).
 */
export const controlOf = (name: FunctionName, { name: deployment, control }: Federation) =>
  control && {
    ...{ deployment, audience: controlAudience(deployment), sessionName: `crosstrust-${name}` },
    who: name === "health" ? ("checker" as const) : ("provisioner" as const),
  };

/** Only a deployed function (K_SERVICE) speaks as a control role: elsewhere the credentials at hand are meant. */
export async function sourceFor(
  party: string,
  name: FunctionName,
): Promise<(ask: CredentialsAsk, world: World) => Promise<Session>> {
  const control = process.env.K_SERVICE ? controlOf(name, (await deployment()).federation) : undefined;
  const source = sourcesFor(control)[party];
  if (!source) throw new Error(`no credentials for ${party}`);
  return source;
}
