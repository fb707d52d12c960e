/** The identity of a runner, by the token that GitHub gave its job (OIDC). */

export interface JobIdentity {
  /** GitHub's numeric id of the repository whose workflow runs. */
  repositoryId: number;
  /** `owner/name`. */
  repository: string;
  workflowRunId: string;
  /** `owner/name/.github/workflows/x.yml@refs/heads/main`: the running file and its branch. */
  workflowRef: string;
}

export interface JobIdentities {
  /**
   * Verifies signature, issuer, audience and time. BATON_WORKER_REFUSED names the failed check.
   * BATON_GITHUB_UNAVAILABLE: the keys could not be fetched.
   */
  verify(token: string): Promise<JobIdentity>;
}
