/** What a command answers: its exit code, and what goes to stdout. */
export interface Answer {
  readonly exit: number;
  readonly text: string;
  /** The text is bytes for a program, such as a token or a configuration file: nothing in it is changed. */
  readonly exact?: true;
}
