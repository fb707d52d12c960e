/** Finds secrets in text before it leaves Baton. */
export interface SecretHit {
  start: number;
  end: number;
  /** For people: the apparent kind of secret, never the value. */
  kind: string;
  /** True: one of Baton's own values, which no setting allows. */
  own: boolean;
}

export interface SecretScan {
  find(text: string): Promise<SecretHit[]>;
}
