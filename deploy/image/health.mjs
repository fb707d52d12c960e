// The health check of Baton's image: exit code 0 when /health answers 200.
const port = process.env.PORT ?? "3000";
const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
process.exit(answer?.ok === true ? 0 : 1);
