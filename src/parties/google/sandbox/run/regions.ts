/** Codes that stand in the URLs of services, as seen in published ones (unverified); any other region has its initials. */
const codes: Readonly<Record<string, string>> = {
  ...{ "us-central1": "uc", "us-east1": "ue", "us-east4": "uk", "us-west1": "uw", "us-west2": "wl" },
  ...{ "europe-west1": "ew", "europe-west2": "nw", "europe-west3": "ey", "europe-west4": "ez", "europe-west6": "oa" },
  ...{ "europe-north1": "lz", "asia-east1": "de", "asia-east2": "df", "asia-northeast1": "an", "asia-south1": "el" },
  ...{ "asia-southeast1": "as", "australia-southeast1": "ts", "southamerica-east1": "rj" },
};

/**
 * Where Cloud Run is. A list, because each has hosts of its own and a certificate vouches for those alone: a pattern
 * for all of them would reach every other host of the domain.
 */
export const regions: readonly string[] = [
  ...["africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"],
  ...["asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1"],
  ...["australia-southeast2", "europe-central2", "europe-north1", "europe-north2", "europe-southwest1"],
  ...["europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9"],
  ...["europe-west10", "europe-west12", "me-central1", "me-central2", "me-west1", "northamerica-northeast1"],
  ...["northamerica-northeast2", "northamerica-south1", "southamerica-east1", "southamerica-west1", "us-central1"],
  ...["us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4"],
];

/** Two letters or so, for the URL of a service. */
export const codeOf = (region: string): string => codes[region] ?? region.replace(/([a-z])[a-z]*-?/g, "$1");
