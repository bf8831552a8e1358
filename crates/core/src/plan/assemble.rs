//! From request, configuration and surroundings to the parts of the Job.

use super::args::model_fits_provider;
use super::{BundlePlan, Identity, Parts, Surroundings};
use super::{bundle, check_instructions, claims, directories, inheritance, refusal};
use crate::config::Config;
use crate::failure::{ErrorCode, Refusal};
use crate::guard::SupervisorId;
use crate::names::{CONTAINER, label_value};
use crate::own_pod::OwnPod;
use crate::plan::environment::{self, Environment, Sources};
use crate::plan::isolation::{check_level, isolate};
use crate::plan::mcp::McpConfig;
use crate::plan::settings::{CREDENTIALS, Settings};
use crate::plan::volumes::{DataVolume, InheritedVolumes, MountedPaths};
use crate::request::RunRequest;
use crate::target::{PayloadMode, Placement, SECRET_MAX};

/// Everything the Job is made of. Each step only needs what stands above it.
pub(super) fn parts(
    request: &RunRequest,
    config: Config,
    surroundings: Surroundings,
    warnings: &mut Vec<String>,
) -> Result<Parts, Refusal> {
    check_instructions(request, &config)?;
    let least_isolation = check_level(request, &config)?;
    let own = surroundings.own_pod.as_ref();
    let placement = surroundings.placement;
    let image = image(&config, own)?;
    let data = data_volume(request, &config, own, &surroundings)?;
    let near = own.filter(|_| placement == Placement::SameNamespace);
    let data = isolate(request, &config, near, &surroundings.volume, data, warnings)?;
    let in_use = claims::in_use(&config, near, &surroundings.claims, warnings)?;
    let inherited = inherited_volumes(request, &config, own, placement, &data);
    let mounted = MountedPaths::new(&data, &inherited, config.pod_template.as_ref());
    let directory = directories::run_directory(request, &config, &data, &mounted, warnings);
    let bundle = bundle::plan(request, &config, &data, &surroundings.bundle)?;
    check_extra_args(&config, bundle.as_ref())?;

    let run_directory = &directory.path;
    let sources = Sources { request, config: &config, own, placement, data: &data, mounted: &mounted, run_directory };
    let (environment, api_url) = environment::build(&sources, warnings);
    warnings.extend(inheritance::missing(&sources, request.host.env("PAPERCLIP_HOME")));
    let left_behind = inheritance::left_behind(&sources, &environment, &inherited);
    warnings.extend(environment_warnings(&config, &environment, surroundings.payload));
    let mcp = McpConfig::build(request, &config, &api_url, warnings);
    if let Some(mcp) = mcp.as_ref().filter(|mcp| mcp.json.len() > SECRET_MAX) {
        let reason = format!("the MCP configuration has {} bytes, at most {SECRET_MAX} are possible", mcp.json.len());
        return Err(refusal::reject("mcpServers", reason));
    }
    let settings = Settings::new(
        &environment,
        &surroundings.home,
        config.enable_rtk.then_some(config.rtk_max_output_bytes),
        warnings,
    );

    let exists = directory.host_path.as_ref().is_some_and(|path| surroundings.existing_directories.contains(path));
    Ok(Parts {
        identity: identity(request, own),
        namespace: surroundings.namespace,
        working_directory: if exists { directory.path.clone() } else { data.mount_path.clone() },
        run_directory: directory.path,
        placement,
        process_ids: (request.host.user_id, request.host.group_id),
        payload_mode: surroundings.payload,
        own: surroundings.own_pod,
        config,
        image,
        data,
        least_isolation,
        inherited,
        left_behind,
        environment,
        bundle,
        mcp,
        settings,
        in_use,
    })
}

/// `podTemplate`, `image`, own container; the container runtime cannot guess one.
fn image(config: &Config, own: Option<&OwnPod>) -> Result<String, Refusal> {
    let template = config.pod_template.as_ref().and_then(|template| {
        let mut containers = template.get("spec")?.get("containers")?.as_array()?.iter();
        let claude = containers.find(|container| container["name"] == CONTAINER)?;
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
    let data = DataVolume::resolve(config, own, surroundings.placement, request.host.env("PAPERCLIP_HOME"));
    if surroundings.payload == PayloadMode::Volume && data.host_path().is_none() {
        let message = format!(
            "The prompt and its values cannot be stored: `create` on `secrets` is missing in namespace `{}` and host and pod share no data volume; grant it, see `deploy/`",
            surroundings.namespace
        );
        return Err(Refusal::new(ErrorCode::PromptSecretCreateFailed, message));
    }
    Ok(data)
}

fn inherited_volumes(
    request: &RunRequest,
    config: &Config,
    own: Option<&OwnPod>,
    placement: Placement,
    data: &DataVolume,
) -> InheritedVolumes {
    let own = own.filter(|_| placement == Placement::SameNamespace);
    own.map(|own| InheritedVolumes::of(own, &request.host, data, &config.inherit_volumes)).unwrap_or_default()
}

/// The CLI refuses two system prompts; only the resolved bundle says whether there is one already.
fn check_extra_args(config: &Config, bundle: Option<&BundlePlan>) -> Result<(), Refusal> {
    let has_instructions = bundle.is_some_and(|bundle| bundle.content.has_instructions());
    config.system_prompt_option().filter(|_| has_instructions).map_or(Ok(()), |flag| {
        let reason =
            format!("`{flag}` cannot be combined with instructions or skills of the agent; move the text there");
        Err(refusal::reject("extraArgs", reason))
    })
}

fn environment_warnings(config: &Config, environment: &Environment, payload: PayloadMode) -> Vec<String> {
    let model = config.model.as_deref().filter(|model| !model_fits_provider(model, environment));
    let model = model.map(|model| {
        format!("config.model: `{model}` is not a Bedrock model id and is not passed on; Claude Code uses its default")
    });
    let unsayable = environment.secrets().filter(|(name, _)| !environment::names::is_shell_name(name));
    let unsayable = unsayable.map(|(name, _)| match payload {
        PayloadMode::Volume => {
            format!("`{name}` is not set: without `secrets/create` a shell exports it, and cannot use that name")
        }
        PayloadMode::Secret => format!(
            "`{name}` reaches Claude Code only where `sh` is bash: dash and busybox drop such names; use letters, digits and `_`"
        ),
    });
    let set = |name: &&str| environment.brings(name);
    let credentials: Vec<&str> = CREDENTIALS.into_iter().filter(set).collect();
    let competing = (credentials.len() > 1).then(|| {
        let names: Vec<String> = credentials.iter().map(|name| format!("`{name}`")).collect();
        format!(
            "{} are set together: Claude Code uses {} alone, which also decides how the run is billed; remove the others",
            names.join(" and "),
            names.first().map_or("one", String::as_str)
        )
    });
    model.into_iter().chain(unsayable).chain(competing).collect()
}

fn identity(request: &RunRequest, own: Option<&OwnPod>) -> Identity {
    let host = &request.host;
    Identity {
        agent_id: request.agent.id.clone(),
        agent_label: label_value(&request.agent.id).unwrap_or_default(), // checked to be non-empty
        agent_name: request.agent.name.clone(),
        run_id: request.run_id.clone(),
        company_id: request.agent.company_id.clone(),
        task_id: environment::task_id(&request.context),
        adapter_version: host.adapter_version.clone(),
        supervisor: SupervisorId::of(host, own.map(|own| own.uid.as_str())).to_string(),
    }
}
