/** The whole answer in one write; a reader that went away (`| head`) ends it quietly. */
export async function print(text: string): Promise<void> {
  if (!text) return;
  const ending = text.endsWith("\n") ? text : `${text}\n`;
  await new Promise<void>((resolve) => {
    process.stdout.once("error", () => resolve());
    process.stdout.write(ending, () => resolve());
  });
}
