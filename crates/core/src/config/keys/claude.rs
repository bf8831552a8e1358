//! Keys that become arguments, prompt and environment of the CLI.

use super::row::{Flag, Key, MOST, Own, Topic, Whole};

super::keys! {
    MODEL: Own = Key::new(Topic::Claude, "model", Own("text without white space, at most 256 characters", "unset"), "`--model`; left out, with a warning, when the pod uses Bedrock and this is not a Bedrock id");
    EFFORT: Own = Key::new(Topic::Claude, "effort", Own("text; a warning unless `low`, `medium`, `high`, `xhigh` or `max`", "unset"), "`--effort`");
    MAX_TURNS_PER_RUN: Whole = Key::new(Topic::Claude, "maxTurnsPerRun", Whole { range: 0..=MOST, default: Some(0), unit: "" }, "`--max-turns`; 0 = no limit")
        .form("core", "number", "Max Turns Per Run", "Model turns one run may take; 0 means no limit.")
        .prefilled_with(1000);
    DANGEROUSLY_SKIP_PERMISSIONS: Flag = Key::new(Topic::Claude, "dangerouslySkipPermissions", Flag(true), "`--dangerously-skip-permissions`; with `false` the CLI denies what it would ask for");
    EXTRA_ARGS: Own = Key::new(Topic::Claude, "extraArgs", Own("list of texts, or one text split like a shell splits words (no expansion)", "`[]`"), "appended last to the CLI arguments; [limits](#extra-arguments)")
        .note("Options that change the output or the session are refused.");
    ARGS: Own = Key::new(Topic::Claude, "args", Own("as `extraArgs`", "unset"), "used when `extraArgs` is unset");
    PROMPT_TEMPLATE: Own = Key::new(Topic::Claude, "promptTemplate", Own("text with `{{path}}` placeholders", "the host's template"), "main section of the prompt");
    BOOTSTRAP_PROMPT_TEMPLATE: Own = Key::new(Topic::Claude, "bootstrapPromptTemplate", Own("text with `{{path}}` placeholders", "unset"), "first section of the prompt of a new session");
    INSTRUCTIONS_FILE_PATH: Own = Key::new(Topic::Claude, "instructionsFilePath", Own("absolute path on the host", "unset"), "appended to the system prompt; beneath `PAPERCLIP_HOME` or a directory of `PAPERCLIP_K8S_INSTRUCTIONS_DIRS`; an unreadable file is a warning")
        .note("Given on every run.");
    INSTRUCTIONS_ROOT_PATH: Own = Key::new(Topic::Claude, "instructionsRootPath", Own("text", "unset"), "`AGENT_HOME` when the bundle is external and the pod can see the directory")
        .host();
    INSTRUCTIONS_ENTRY_FILE: Own = Key::new(Topic::Claude, "instructionsEntryFile", Own("text", "unset"), "name of the instructions file inside its bundle; kept by the host")
        .host();
    INSTRUCTIONS_BUNDLE_MODE: Own = Key::new(Topic::Claude, "instructionsBundleMode", Own("`managed` or `external`; other text is a warning", "`managed`"), "`external`: `AGENT_HOME` is `instructionsRootPath`")
        .host();
    CWD: Own = Key::new(Topic::Claude, "cwd", Own("absolute path", "unset"), "working directory when the workspace names none, or when its source is `agent_home`");
    RESUME_LAST_SESSION: Flag = Key::new(Topic::Claude, "resumeLastSession", Flag(true), "`false`: every run starts a new session");
    MCP_SERVERS: Own = Key::new(Topic::Claude, "mcpServers", Own("object name → definition with `command` or `url`, in the CLI's format; or JSON text of it", "unset"), "MCP servers of the run; a server of the host wins over one of the same name, with a warning");
    STRICT_MCP_CONFIG: Flag = Key::new(Topic::Claude, "strictMcpConfig", Flag(false), "`--strict-mcp-config` when there are MCP servers");
    PAPERCLIP_RUNTIME_SKILLS: Own = Key::new(Topic::Claude, "paperclipRuntimeSkills", Own("list of skills; an entry without `source` is a warning", "none"), "skills mounted into the pod")
        .host()
        .note("Skills are copied into each run; nothing is installed.");
    PAPERCLIP_SKILL_SYNC: Own = Key::new(Topic::Claude, "paperclipSkillSync", Own("object", "none"), "which of the skills are wanted")
        .host();

    ENV: Own = Key::new(Topic::Environment, "env", Own("object name → text, number, boolean or `{type: \"plain\", value}`", "`{}`"), "environment of the container, delivered in a Secret; [limits](#environment-limits)")
        .note("Values travel in the Job's Secret, never in the Job.");
    INHERIT_ENV: Own = Key::new(Topic::Environment, "inheritEnv", Own("list of names, or text with spaces, commas or line ends between them; `MYCO_*` is every name that begins so, `*` everything but the server's own", "none"), "variables of the server's pod that the agent gets besides those that Claude Code needs")
        .form("kubernetes", "textarea", "Inherited Variables", "Names of variables of the Paperclip pod, such as NPM_TOKEN or MYCO_*. Empty: what Claude Code and its tools need.");
    INHERIT_VOLUMES: Own = Key::new(Topic::Environment, "inheritVolumes", Own("list of volume names, or text with spaces, commas or line ends between them; `*` for all", "none"), "Secrets, ConfigMaps and projections in the server's pod that are mounted into the agent's, read-only")
        .form("kubernetes", "textarea", "Inherited Volumes", "Names of Secret and ConfigMap volumes of the Paperclip pod, such as a bundle of certificates. Empty: none.");
}
