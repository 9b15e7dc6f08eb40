import type { Host } from "../../../../sandbox/fake.ts";
import { imageKey, type StoredImage, type StoredService, type Template, urlsOf } from "./store.ts";

/** What a Knative service says of itself: the spec as it was sent, and a status that is settled at once. */
export function shown(host: Host, service: StoredService) {
  const { project, region, name, uid, created, generation, resourceVersion, labels, template } = service;
  const urls = urlsOf(host, service);
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: {
      ...{ name, namespace: project, uid, generation, resourceVersion },
      selfLink: `/apis/serving.knative.dev/v1/namespaces/${project}/services/${name}`,
      creationTimestamp: new Date(created).toISOString(),
      labels: { ...labels, "cloud.googleapis.com/location": region },
      annotations: {
        "run.googleapis.com/ingress": "all",
        ...service.annotations,
        "serving.knative.dev/creator": service.creator,
        "serving.knative.dev/lastModifier": service.modifier,
        "run.googleapis.com/ingress-status": service.annotations["run.googleapis.com/ingress"] ?? "all",
        "run.googleapis.com/urls": JSON.stringify([urls[1], urls[0]]),
      },
    },
    spec: { template, traffic: [{ percent: 100, latestRevision: true }] },
    status: statusOf(service, urls[0]),
  };
}

function statusOf({ generation, revision, created, trouble }: StoredService, url: string) {
  const at = new Date(created).toISOString();
  const condition = (type: string, status: "True" | "False") => ({
    ...{ type, status, lastTransitionTime: at },
    ...(status === "False" ? { reason: "RevisionFailed", message: trouble } : {}),
  });
  const good = trouble === undefined ? "True" : "False";
  return {
    observedGeneration: generation,
    conditions: [condition("Ready", good), condition("ConfigurationsReady", good), condition("RoutesReady", good)],
    latestCreatedRevisionName: revision,
    ...(trouble === undefined
      ? {
          latestReadyRevisionName: revision,
          traffic: [{ revisionName: revision, percent: 100, latestRevision: true }],
          url,
          address: { url },
        }
      : {}),
  };
}

/** A revision is named by its service's generation; the suffix stands for the random one of real names. */
export function revisionName(name: string, generation: number, template: Template): string {
  const given = template.metadata?.name;
  if (given) return given;
  const suffix = (generation * 7919 + 4657).toString(36).padStart(3, "0").slice(-3);
  return `${name}-${String(generation).padStart(5, "0")}-${suffix}`;
}

/** The image that a template names by its digest; undefined where no build made it, or it was deleted. */
export function imageOf(host: Host, template: Template): StoredImage | undefined {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(template.spec?.containers?.[0]?.image ?? "")?.[1];
  return digest === undefined ? undefined : host.state.get<StoredImage>(imageKey(digest));
}

/** The environment of a revision's container. */
export const environmentOf = ({ template }: StoredService): Readonly<Record<string, string>> =>
  Object.fromEntries((template.spec?.containers?.[0]?.env ?? []).map(({ name, value = "" }) => [name, value]));
