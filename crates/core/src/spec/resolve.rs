//! The decisions of a run in their order. Each step only needs what stands above it.

use super::run_spec::TimeBounds;
use super::{Attempt, BundlePlan, PayloadMode, Placement, RunSpec, Surroundings};
use super::{bundle, check, directories, inheritance, prompt, redactions, refusal};
use crate::config::Config;
use crate::failure::{ErrorCode, Refusal};
use crate::guard::SupervisorId;
use crate::manifest::environment::{self, Environment, Sources, context_text};
use crate::manifest::mcp::McpConfig;
use crate::manifest::settings::Settings;
use crate::manifest::volumes::{DataVolume, InheritedVolumes, MountedPaths};
use crate::manifest::{self, ArgumentInputs, Identity, Parts, cli_arguments, model_fits_provider};
use crate::names::{JobName, agent_selector, label_value, sha256_hex};
use crate::outcome::{Billing, SessionFacts};
use crate::own_pod::OwnPod;
use crate::request::{Prompt, RunRequest, StoredSession};
use crate::session::{self, Circumstances};

/// Most bytes of environment and arguments together; the kernel allows 2 MiB for everything.
const EXEC_MAX: usize = 1_572_864;

impl RunSpec {
    /// Resolves a run completely. Nothing has been created when this refuses.
    ///
    /// # Errors
    /// Unusable ids, prompt, image, bundle or configuration, each with its own code and next step.
    pub fn resolve(request: &RunRequest, config: Config, surroundings: Surroundings) -> Result<Self, Refusal> {
        check(request, &config)?;
        check_permissions(&config, &surroundings)?;
        let mut warnings = known_warnings(request, &config, &surroundings);
        let redactions = redactions::redactions(request, &config);
        let skills = skill_list(&surroundings);
        let (suspended, degraded) = (surroundings.may_patch_jobs, surroundings.degraded.clone());

        let (parts, mcp_identity) = parts(request, config, surroundings, &mut warnings)?;
        let (session, refused) = decide_session(request, &parts, mcp_identity);
        let first = first_attempt(request, &parts, session.resumed.clone())?;
        check_exec_size(&parts, &first)?;
        let fresh = attempt(&parts, 2, &request.prompts.fresh, None).ok();

        let (first_job, template_warnings) = manifest::build(&parts, &first)?;
        warnings.extend(template_warnings.iter().map(ToString::to_string));
        let fresh = fresh.map(|fresh| manifest::build(&parts, &fresh).map(|(job, _)| (fresh, job))).transpose()?;

        Ok(Self {
            namespace: parts.namespace.clone(),
            run_id: parts.identity.run_id.clone(),
            agent_id: parts.identity.agent_id.clone(),
            task_id: parts.identity.task_id.clone(),
            agent_label: parts.identity.agent_label.clone(),
            selector: agent_selector(&parts.identity.agent_label),
            supervisor: parts.identity.supervisor.clone(),
            suspended,
            payload_mode: parts.payload_mode,
            bundle: parts.bundle.clone(),
            session,
            bounds: bounds(&parts.config),
            config: parts.config.clone(),
            redactions,
            warnings,
            degraded,
            status_lines: std::iter::once(format!("Skills bundled {skills}")).chain(refused).collect(),
            notes: notes(&parts, &skills),
            parts,
            first: (first, first_job),
            fresh,
        })
    }
}

/// Everything the Job is made of, and the identity of its MCP servers.
fn parts(
    request: &RunRequest,
    config: Config,
    surroundings: Surroundings,
    warnings: &mut Vec<String>,
) -> Result<(Parts, Option<String>), Refusal> {
    let own = surroundings.own_pod.as_ref();
    let placement = surroundings.placement;
    let image = image(&config, own)?;
    let data = data_volume(request, &config, own, &surroundings)?;
    let inherited = inherited_volumes(request, own, placement, &data);
    let mounted = MountedPaths::new(&data, &inherited, config.pod_template.as_ref());
    let directory = directories::run_directory(request, &config, &data, &mounted, warnings);
    let bundle = bundle::plan(request, &config, surroundings.payload, &data, &surroundings.bundle)?;
    check_extra_args(&config, bundle.as_ref())?;

    let run_directory = &directory.path;
    let sources = Sources { request, config: &config, own, placement, data: &data, mounted: &mounted, run_directory };
    let (environment, api_url) = environment::build(&sources, warnings);
    warnings.extend(inheritance::missing(&config, own, placement));
    warnings.extend(environment_warnings(&config, &environment, surroundings.payload));
    let mcp = McpConfig::build(request, &config, &api_url, warnings);
    let settings = Settings::new(&environment, config.enable_rtk.then_some(config.rtk_max_output_bytes));

    let exists = directory.host_path.as_ref().is_some_and(|path| surroundings.existing_directories.contains(path));
    let (mcp, mcp_identity) = mcp.map(|mcp| (mcp.json, mcp.identity)).unzip();
    let parts = Parts {
        identity: identity(request, own),
        namespace: surroundings.namespace,
        working_directory: if exists { directory.path.clone() } else { data.mount_path.clone() },
        run_directory: directory.path,
        placement,
        payload_mode: surroundings.payload,
        own: surroundings.own_pod,
        config,
        image,
        data,
        inherited,
        environment,
        bundle,
        mcp,
        settings,
    };
    Ok((parts, mcp_identity))
}

/// The one decision about the stored session, what to store later, and the line about a refusal.
fn decide_session(
    request: &RunRequest,
    parts: &Parts,
    mcp_server_identity: Option<String>,
) -> (SessionFacts, Option<String>) {
    let prompt_bundle_key = parts.bundle.as_ref().map(|bundle| bundle.content.key.clone());
    let now = Circumstances {
        resume_last_session: parts.config.resume_last_session,
        persistent: parts.data.is_persistent(),
        run_directory: &parts.run_directory,
        prompt_bundle_key: prompt_bundle_key.as_deref(),
        mcp_server_identity: mcp_server_identity.as_deref(),
    };
    let decision = session::decide(request.session.as_ref(), &now);
    let workspace = request.context.get("paperclipWorkspace").and_then(|workspace| workspace.as_object());
    let member = |name| context_text(workspace?, &[name]);
    let facts = SessionFacts {
        persistent: parts.data.is_persistent(),
        resumed: decision.resume,
        stored: StoredSession {
            session_id: String::new(), // the outcome knows it
            cwd: Some(parts.run_directory.clone()),
            workspace_id: member("workspaceId"),
            repo_url: member("repoUrl"),
            repo_ref: member("repoRef"),
            prompt_bundle_key,
            mcp_server_identity,
        },
        configured_model: parts.config.model.clone(),
        billing: billing(&parts.environment),
    };
    (facts, decision.refused)
}

fn billing(environment: &Environment) -> Billing {
    Billing {
        bedrock: environment.is_on("CLAUDE_CODE_USE_BEDROCK"),
        vertex: environment.is_on("CLAUDE_CODE_USE_VERTEX"),
        api_key: environment.is_set("ANTHROPIC_API_KEY") || environment.is_set("ANTHROPIC_AUTH_TOKEN"),
        oauth_token: environment.is_set("CLAUDE_CODE_OAUTH_TOKEN"),
    }
}

fn check_permissions(config: &Config, surroundings: &Surroundings) -> Result<(), Refusal> {
    if config.queue_name.is_some() && !surroundings.may_patch_jobs {
        return Err(refusal::rejected("queueName", "needs the permission to `patch` `jobs` in the target namespace"));
    }
    Ok(())
}

fn known_warnings(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> Vec<String> {
    let configuration = config.warnings.iter().map(ToString::to_string);
    let skills = request.skill_warnings.iter().chain(&surroundings.bundle.warnings).cloned();
    let run = label_value(&request.run_id).is_none();
    let run = run.then(|| "the run id cannot be a label: a Job of this run will not be adopted later".to_owned());
    configuration.chain(skills).chain(run).collect()
}

/// `podTemplate`, `image`, own container; the container runtime cannot guess one.
fn image(config: &Config, own: Option<&OwnPod>) -> Result<String, Refusal> {
    let template = config.pod_template.as_ref().and_then(|template| {
        let mut containers = template.get("spec")?.get("containers")?.as_array()?.iter();
        let claude = containers.find(|container| container["name"] == crate::names::CONTAINER)?;
        claude.get("image")?.as_str().map(str::to_owned)
    });
    template.or_else(|| config.image.clone()).or_else(|| own?.image.clone()).ok_or_else(|| {
        let message = "No container image is known: the host's own pod could not be read, so its image cannot be used; set `image`";
        Refusal::new(ErrorCode::ConfigurationIncomplete, message).reason("k8s_image_unresolved")
    })
}

fn data_volume(
    request: &RunRequest,
    config: &Config,
    own: Option<&OwnPod>,
    surroundings: &Surroundings,
) -> Result<DataVolume, Refusal> {
    let home = request.host.env("PAPERCLIP_HOME").or_else(|| own?.literal("PAPERCLIP_HOME"));
    let data = DataVolume::resolve(config, own, surroundings.placement, home);
    if surroundings.payload == PayloadMode::Volume && data.host_path().is_none() {
        let message = format!(
            "The service account may not `create` `secrets` in namespace `{}`, and host and Job share no data volume; grant the verb",
            surroundings.namespace
        );
        return Err(Refusal::new(ErrorCode::PromptSecretCreateFailed, message));
    }
    Ok(data)
}

fn inherited_volumes(
    request: &RunRequest,
    own: Option<&OwnPod>,
    placement: Placement,
    data: &DataVolume,
) -> InheritedVolumes {
    let own = own.filter(|_| placement == Placement::SameNamespace);
    own.map(|own| InheritedVolumes::of(own, &request.host, data)).unwrap_or_default()
}

/// The CLI refuses two system prompts; only the resolved bundle says whether there is one already.
fn check_extra_args(config: &Config, bundle: Option<&BundlePlan>) -> Result<(), Refusal> {
    let has_instructions = bundle.is_some_and(|bundle| bundle.content.has_instructions());
    let flags = ["--append-system-prompt", "--append-system-prompt-file"];
    let clash = config.extra_args.iter().find(|arg| flags.contains(&arg.split('=').next().unwrap_or_default()));
    match clash.filter(|_| has_instructions) {
        Some(flag) => {
            let reason =
                format!("`{flag}` cannot be combined with instructions or skills of the agent; move the text there");
            Err(refusal::rejected("extraArgs", reason))
        }
        None => Ok(()),
    }
}

fn environment_warnings(config: &Config, environment: &Environment, payload: PayloadMode) -> Vec<String> {
    let model = config.model.as_deref().filter(|model| !model_fits_provider(model, environment));
    let model = model.map(|model| {
        format!("config.model: `{model}` is not a Bedrock model id and is not passed on; Claude Code uses its default")
    });
    let staged = environment.secrets().filter(|_| payload == PayloadMode::Volume);
    let unsayable = staged.filter(|(name, _)| !manifest::is_shell_name(name));
    let unsayable = unsayable.map(|(name, _)| {
        format!("`{name}` is not set: without `secrets/create` a shell exports it, and cannot use that name")
    });
    model.into_iter().chain(unsayable).collect()
}

fn identity(request: &RunRequest, own: Option<&OwnPod>) -> Identity {
    let host = &request.host;
    let place = own.map(|own| own.uid.clone()).filter(|uid| !uid.is_empty()).unwrap_or_else(|| host.machine_id.clone());
    Identity {
        agent_id: request.agent.id.clone(),
        agent_label: label_value(&request.agent.id).unwrap_or_default(), // checked to be non-empty
        agent_name: request.agent.name.clone(),
        run_id: request.run_id.clone(),
        company_id: request.agent.company_id.clone(),
        task_id: environment::task_id(&request.context),
        adapter_version: host.adapter_version.clone(),
        supervisor: SupervisorId { place, pid: host.pid, started_at_ms: host.started_at_ms }.to_string(),
    }
}

fn first_attempt(request: &RunRequest, parts: &Parts, resume: Option<String>) -> Result<Attempt, Refusal> {
    // PRM-11: one decision chooses the text and the flag.
    let prompt = if resume.is_some() { &request.prompts.resumed } else { &request.prompts.fresh };
    attempt(parts, 1, prompt, resume)
}

fn attempt(parts: &Parts, number: u32, source: &Prompt, resume: Option<String>) -> Result<Attempt, Refusal> {
    let prompt = prompt::usable(source)?;
    let inputs = ArgumentInputs {
        config: &parts.config,
        environment: &parts.environment,
        bundle: parts.bundle.as_ref(),
        settings_file: &parts.settings.path(),
        has_mcp: parts.mcp.is_some(),
    };
    Ok(Attempt {
        number,
        job_name: JobName::new(&parts.identity.agent_id, &parts.identity.run_id, number),
        prompt_digest: sha256_hex(prompt.as_bytes()),
        prompt,
        prompt_metrics: source.metrics.clone(),
        args: cli_arguments(&inputs, resume.as_deref()),
        resume,
        timeout: parts.config.timeout,
    })
}

fn check_exec_size(parts: &Parts, attempt: &Attempt) -> Result<(), Refusal> {
    let environment: usize = parts.environment.entries().map(|(name, value)| name.len() + value.size() + 2).sum();
    let args: usize = attempt.args.iter().map(|arg| arg.len() + 1).sum();
    if environment + args <= EXEC_MAX {
        return Ok(());
    }
    let reason =
        format!("environment and arguments have {} bytes, at most {EXEC_MAX} are possible", environment + args);
    Err(refusal::rejected("env", reason))
}

fn notes(parts: &Parts, skills: &str) -> Vec<String> {
    vec![
        format!("Image: {}", parts.image),
        format!("Namespace: {}", parts.namespace),
        format!("Timeout: {}s", parts.config.timeout.map_or(0, |timeout| timeout.as_secs())),
        format!("Skills {skills}"),
    ]
}

/// `(<n>): <names|none>`.
fn skill_list(surroundings: &Surroundings) -> String {
    let names: Vec<&str> = surroundings.bundle.skills.iter().map(|skill| skill.runtime_name.as_str()).collect();
    format!("({}): {}", names.len(), if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

fn bounds(config: &Config) -> TimeBounds {
    TimeBounds {
        timeout: config.timeout,
        grace: config.grace,
        schedule: config.schedule_timeout,
        startup: config.startup_timeout,
        guard_wait: config.guard_wait,
    }
}
