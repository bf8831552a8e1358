//! Names of the server's environment: what is its own for ever, and what an agent gets without being asked for it.

/// Never inherited, whole names (PRM-06).
const SERVER_ONLY: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_MIGRATION_URL",
    "HOST",
    "PORT",
    "HOSTNAME",
    "NODE_ENV",
    "NODE_OPTIONS",
    "NODE_PATH",
    "SERVE_UI",
    "NOTIFY_SOCKET",
    "TRUST_PROXY",
];

/// Never inherited, beginnings of names.
const SERVER_ONLY_PREFIXES: &[&str] =
    &["PAPERCLIP_", "BETTER_AUTH_", "RUN_LOG_", "SENTRY_", "HEARTBEAT_SCHEDULER_", "OTEL_"];

/// What a webhook of a cloud adds to a pod for its account: a set with a volume, of which a part is worth nothing or
/// says the wrong thing (TRU-16). The account of the Job gets its own.
const IDENTITY: &[&str] = &[
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
];

/// What Claude Code and its tools need (TRU-13).
const NEEDED: &[&str] = &[
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLOUD_ML_REGION",
    "GOOGLE_CLOUD_PROJECT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "TZ",
    "LANG",
];

/// Beginnings of names that Claude Code and its tools need.
const NEEDED_PREFIXES: &[&str] = &["ANTHROPIC_", "CLAUDE_", "VERTEX_", "LC_"];

/// Values that everybody who may read Jobs may see (TRU-15).
const HARMLESS: &[&str] = &[
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "CLOUD_ML_REGION",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
    "LANG",
];

/// Beginnings of harmless names.
const HARMLESS_PREFIXES: &[&str] = &["LC_", "CLAUDE_CODE_USE_"];

fn is_among(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Belongs to the server process and stays there. `PAPERCLIP_API_URL` has rules of its own.
pub(crate) fn is_server_only(name: &str) -> bool {
    is_among(name, SERVER_ONLY, SERVER_ONLY_PREFIXES)
}

/// Part of the identity of the server's pod.
pub(crate) fn is_identity(name: &str) -> bool {
    is_among(name, IDENTITY, &[])
}

/// Inherited without being named.
pub(crate) fn is_needed(name: &str) -> bool {
    is_among(name, NEEDED, NEEDED_PREFIXES)
}

/// May stand in the Job.
pub(crate) fn is_harmless(name: &str) -> bool {
    is_among(name, HARMLESS, HARMLESS_PREFIXES)
}
