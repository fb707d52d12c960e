/** Finds secrets in text that is about to leave. */
export interface SecretHit {
  start: number;
  end: number;
  /** For people: what it looks like, never the value. */
  kind: string;
  /** True: one of Baton's own values, which no setting allows. */
  own: boolean;
}

export interface SecretScan {
  find(text: string): Promise<SecretHit[]>;
}
