/** Who a runner is, by the token that GitHub gave its job (OIDC). */

export interface JobIdentity {
  /** GitHub's numeric id of the repository whose workflow runs. */
  repositoryId: number;
  /** `owner/name`. */
  repository: string;
  workflowRunId: string;
  /** `owner/name/.github/workflows/x.yml@refs/heads/main`: the file that runs, and the branch that it comes from. */
  workflowRef: string;
}

export interface JobIdentities {
  /** Verifies signature, issuer, audience and time; BATON_WORKER_REFUSED says what does not hold; BATON_GITHUB_UNAVAILABLE: the keys could not be had. */
  verify(token: string): Promise<JobIdentity>;
}
