import { z } from "zod";
import { type Finding, finding, type Link, type MintAsk, type Undo, type World } from "../../model.ts";
import { settle, unlessMissing } from "../../run/retry.ts";
import { editBindings } from "./bindings.ts";
import type { AccountTarget } from "./calls.ts";
import { google } from "./client.ts";
import { ofAccount } from "./policies.ts";
import { memberOf } from "./remedy.ts";
import { serviceAccountOf } from "./shape.ts";

/** The narrowest role that mints ID tokens; Token Creator is wider (google.md 6.2). */
export const mintingRole = "roles/iam.serviceAccountOpenIdTokenCreator";
const role = mintingRole;

/** What was granted, noted before it is granted: a run that is killed is cleaned up after by the next one. */
const noteSchema = z.object({ project: z.string(), account: z.string(), member: z.string() });
type Note = z.infer<typeof noteSchema>;

const noteName = (account: string): string => `grant-me-${account}`;

/**
 * `--grant-me`: the operator may mint for this one account, for the time of the proof (contract, section 7).
 * Grants take two minutes as a rule and seven at worst (google.md, trap 17), so it waits by asking; where
 * that is not enough, the mint that follows is refused and explained.
 */
export async function grantMint({ link }: MintAsk, world: World): Promise<Undo | undefined> {
  const { project, email } = serviceAccountOf(link);
  const target = { project, account: email };
  if (await mayMint(world, target)) return undefined;
  const note: Note = { ...target, member: memberOf(await operatorOf(world, project)) };
  await world.store.write(noteName(email), JSON.stringify(note));
  await editBindings(world, ofAccount(target), { role, add: [note.member] });
  const what = `google lets ${note.member} mint for ${email}`;
  await settle(world, { what, budget: 420_000, inARow: 1 }, () => mayMint(world, target));
  return () => takeBack(world, note);
}

/**
 * Takes back what a killed run granted. Harmless where there is no note, no member or no account. A note is a file that
 * others could have written: it is acted on only where it says what this operator would have noted for this link, and
 * told where not, so that nobody else loses anything by it.
 */
export async function recallGrant(link: Link, world: World): Promise<readonly Finding[]> {
  const { project, email } = serviceAccountOf(link);
  const text = await world.store.read(noteName(email));
  if (text === undefined) return [];
  const note = parsed(text);
  const own = { project, account: email, member: memberOf(await operatorOf(world, project)) };
  if (note?.project === own.project && note.account === own.account && note.member === own.member) {
    await takeBack(world, own);
    return [];
  }
  const says = note
    ? `a note of the store says that ${note.member} was let mint for ${note.account}; it does not fit this link and operator, so nothing was taken back`
    : `the note of the store about a grant on ${email} cannot be read, so nothing was taken back`;
  const fix = [
    `gcloud iam service-accounts get-iam-policy ${email}   shows who may mint`,
    `delete ${noteName(email)}.json in the store`,
  ];
  return [finding("STORE-NOTE-IGNORED", { severity: "warning", links: [], says, fix })];
}

/** What is no note is none. */
function parsed(text: string): Note | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The note goes last: while the member may still stand in the policy, somebody must know of it. */
async function takeBack(world: World, note: Note): Promise<void> {
  // An account that is gone holds no grant.
  await unlessMissing(editBindings(world, ofAccount(note), { role, remove: [note.member] }));
  await world.store.remove(noteName(note.account));
}

const answer = z.object({ permissions: z.array(z.string()).default([]) });

/** Asked of Google itself: a role through a group or the project stands in no policy of the account. */
export async function mayMint(world: World, { project, account }: AccountTarget): Promise<boolean> {
  const permission = "iam.serviceAccounts.getOpenIdToken";
  const { permissions } = await google(world, {
    ...{ service: "google.iam", operation: "TestIamPermissions", effect: "read", method: "POST", project, answer },
    path: `/v1/projects/${project}/serviceAccounts/${account}:testIamPermissions`,
    body: { permissions: [permission] },
  });
  return permissions.includes(permission);
}

/**
 * Whose token this is: application default credentials do not say so themselves (unverified for external
 * accounts).
 */
export async function operatorOf(world: World, project: string): Promise<string> {
  const session = await world.credentials({ party: "google", scope: project });
  if (session.principal) return session.principal;
  const { email } = await google(world, {
    ...{
      service: "google.oauth2",
      operation: "UserInfo",
      effect: "read",
      method: "GET",
      project,
      path: "/v1/userinfo",
    },
    answer: z.object({ email: z.string().includes("@") }),
  });
  return email;
}
