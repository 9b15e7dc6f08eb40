/** One sample of an exposition, its labels unescaped. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const suffixes: Readonly<Record<string, string>> = { gauge: "", info: "_info" };

/** A strict reader of the part of OpenMetrics 1.0 that is used here; it throws at whatever the format does not allow. */
export function parsed(text: string): readonly Sample[] {
  if (!text.endsWith("\n# EOF\n")) throw new Error("must end in # EOF and a line feed");
  const lines = text.slice(0, -"# EOF\n".length).trimEnd().split("\n");
  const samples: Sample[] = [];
  const seen = new Set<string>();
  const families = new Set<string>();
  let family = { name: "", type: "" };
  for (const line of lines) {
    const [, kind, name = "", rest = ""] = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? [];
    if (kind === "TYPE") {
      if (families.has(name) || !(rest in suffixes)) throw new Error(`a second or unknown type: ${line}`);
      families.add(name);
      family = { name, type: rest };
    } else if (kind) {
      if (name !== family.name) throw new Error(`of another family: ${line}`);
      if (kind === "UNIT" && !name.endsWith(`_${rest}`)) throw new Error(`the name does not end in its unit: ${line}`);
    } else {
      const sample = sampleOf(line);
      if (sample.name !== `${family.name}${suffixes[family.type]}`) throw new Error(`outside its family: ${line}`);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      samples.push(sample);
    }
  }
  return samples;
}

function sampleOf(line: string): Sample {
  const whole =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(
      line,
    );
  if (!whole) throw new Error(`not a sample: ${line}`);
  const [, name = "", labels = "", value] = whole;
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key = "", text = ""]) => [key, text.replace(/\\(.)/g, (_, sign) => (sign === "n" ? "\n" : sign))] as const,
  );
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`a label twice: ${line}`);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}
