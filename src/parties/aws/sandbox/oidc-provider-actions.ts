import type { Host } from "../../../sandbox/fake.ts";
import type { IamAction, IamCall } from "./action.ts";
import {
  oidcProviderKey,
  oidcProviderOf,
  oidcProvidersOf,
  type StoredOidcProvider,
  theOidcProvider,
} from "./oidc-providers.ts";
import { AwsError, listParam, members, type Params, required, timestamp } from "./query.ts";
import { within } from "./quotas.ts";
import { sortedTagList, tagged, tagsIn, untagged } from "./tags.ts";

/** IAM's actions on OIDC providers, by the recorded rules (aws.md 6.1). Reads see `host.view`, which may be older. */
export const oidcProviderActions: Readonly<Record<string, IamAction>> = {
  CreateOpenIDConnectProvider: { write: true, run: create },
  GetOpenIDConnectProvider: {
    write: false,
    run: ({ params, account, host }) => {
      const { url, clientIds, thumbprints, created, tags } = theOidcProvider(host.view, account, arnOf(params));
      return {
        Url: url,
        ClientIDList: members([...clientIds]),
        ThumbprintList: members([...thumbprints]),
        CreateDate: timestamp(created),
        Tags: sortedTagList(tags),
      };
    },
  },
  ListOpenIDConnectProviders: {
    write: false,
    run: ({ account, host }) => ({
      OpenIDConnectProviderList: members(oidcProvidersOf(host.view, account).map(({ arn }) => ({ Arn: arn }))),
    }),
  },
  ListOpenIDConnectProviderTags: {
    write: false,
    run: ({ params, account, host }) => ({
      Tags: sortedTagList(theOidcProvider(host.view, account, arnOf(params)).tags),
      IsTruncated: false,
    }),
  },
  AddClientIDToOpenIDConnectProvider: {
    write: true,
    run: (call) =>
      change(call, ({ clientIds }) => ({
        clientIds: clientIdList(call, [...clientIds, required(call.params, "ClientID")]),
      })),
  },
  RemoveClientIDFromOpenIDConnectProvider: {
    write: true,
    run: (call) =>
      change(call, ({ clientIds }) => ({
        clientIds: clientIds.filter((id) => id !== required(call.params, "ClientID")),
      })),
  },
  UpdateOpenIDConnectProviderThumbprint: {
    write: true,
    run: (call) =>
      change(call, () => {
        const thumbprints = thumbprintList(call.params);
        if (thumbprints.length === 0) throw invalid("Thumbprint list must contain at least one entry.");
        return { thumbprints };
      }),
  },
  TagOpenIDConnectProvider: {
    write: true,
    run: (call) => change(call, tagged(call.params)),
  },
  UntagOpenIDConnectProvider: {
    write: true,
    run: (call) => change(call, untagged(call.params)),
  },
  DeleteOpenIDConnectProvider: {
    write: true,
    run: ({ params, account, host }) => {
      const arn = arnOf(params);
      const found = oidcProviderOf(host.state, account, arn);
      // Documented as idempotent, and observed to answer this.
      if (!found) throw new AwsError("NoSuchEntity", 404, `OpenId connect Provider ${arn} cannot be found.`);
      host.state.delete(oidcProviderKey(account, found.url));
      return undefined;
    },
  },
};

const arnOf = (params: Params): string => required(params, "OpenIDConnectProviderArn");
const invalid = (says: string): AwsError => new AwsError("InvalidInput", 400, says);

/** Texts of the lists; a member's value stands under the empty name. */
const texts = (params: Params, name: string): readonly string[] =>
  listParam(params, name).map((member) => member.get("") ?? "");

/** Duplicates go, the order stays; each has 1 to 255 characters. */
function clientIdList(call: IamCall, given: readonly string[]): readonly string[] {
  const unique = [...new Set(given)];
  if (unique.some((id) => id.length < 1 || id.length > 255)) {
    const says = "Member must have length less than or equal to 255";
    throw new AwsError(
      "ValidationError",
      400,
      `1 validation error detected: Value at 'clientIDList' failed to satisfy constraint: ${says}`,
    );
  }
  const as = "ClientIdsPerOpenIdConnectProvider";
  within(call, { quota: "ClientIdsPerProviderQuota", as }, unique.length);
  return unique;
}

/** At most five of exactly 40 characters, lower-cased; what is no hex and what comes twice is kept (recorded). */
function thumbprintList(params: Params): readonly string[] {
  const given = texts(params, "ThumbprintList");
  if (given.length > 5) throw invalid("Thumbprint list must contain fewer than 5 entries.");
  if (given.some((one) => one.length !== 40)) {
    const says = "Member must have length greater than or equal to 40";
    throw new AwsError(
      "ValidationError",
      400,
      `1 validation error detected: Value at 'thumbprintList' failed to satisfy constraint: ${says}`,
    );
  }
  return given.map((one) => one.toLowerCase());
}

function change(
  { params, account, host }: IamCall,
  edit: (stored: StoredOidcProvider) => Partial<StoredOidcProvider>,
): undefined {
  const stored = theOidcProvider(host.state, account, arnOf(params));
  host.state.put(oidcProviderKey(account, stored.url), { ...stored, ...edit(stored) });
  return undefined;
}

/** `:443` is stripped; a query or fragment, and whatever is not https, is refused. Other ports are untested there. */
function urlOf(text: string): string {
  const url = URL.parse(text);
  if (!text.startsWith("https://") || text.length > 255 || !url || /[?#]/.test(text)) throw invalid("Unknown");
  return text.slice("https://".length).replace(/^([^/]+):443(?=\/|$)/, "$1");
}

/**
 * With a thumbprint AWS looks at nothing; without one it fetches the certificate itself, and refuses where it cannot
 * (aws.md 6.1).
 */
async function create(call: IamCall) {
  const { params, account, host } = call;
  const url = urlOf(required(params, "Url"));
  const clientIds = clientIdList(call, texts(params, "ClientIDList"));
  const given = thumbprintList(params);
  const arn = `arn:aws:iam::${account}:oidc-provider/${url}`;
  if (oidcProviderOf(host.state, account, arn))
    throw new AwsError("EntityAlreadyExists", 409, `Provider with url https://${url} already exists.`);
  const as = "OpenIdConnectProvidersPerAccount";
  within(call, { quota: "ProvidersQuota", as }, oidcProvidersOf(host.state, account).length + 1);
  const thumbprints = given.length > 0 ? given : [await served(url, host)];
  const stored = { account, arn, url, clientIds, thumbprints, tags: tagsIn(params), created: host.now() };
  host.state.put(oidcProviderKey(account, url), stored);
  return { OpenIDConnectProviderArn: arn, Tags: sortedTagList(stored.tags) };
}

/** The last certificate that is served (aws.md 6.2); the text of the refusal is approximate. */
async function served(url: string, host: Host): Promise<string> {
  try {
    const { sha1s } = await host.outside.chain(url.split("/")[0] ?? "");
    return sha1s.at(-1) ?? "";
  } catch {
    throw new AwsError("OpenIdIdpCommunicationError", 400, "Could not connect to openid configuration of provider");
  }
}
