//! From the host's disk to [`BundleSources`]. Nothing here ends a run: what cannot be read is named and left out.

use std::path::Path;

use claude_k8s_core::config::Config;
use claude_k8s_core::names::is_path_part;
use claude_k8s_core::plan::{BundleSources, SkillFiles, instructions_root};
use claude_k8s_core::request::{RunRequest, SkillSource};
use tokio::fs;

use super::walk::{Budget, walk};

/// Most that all skills of a run may hold together.
const SKILLS: Budget = Budget { bytes: 64 * 1024 * 1024, files: 10_000 };
/// The instructions' directory only travels in Secrets, which hold this much.
const INSTRUCTIONS: Budget = Budget { bytes: 4 * 1024 * 1024, files: 1000 };

/// Reads the skills and instructions of a run.
///
/// `with_root`: also the directory of the instructions, for a pod that cannot see the host's disk.
pub async fn read(request: &RunRequest, config: &Config, with_root: bool) -> BundleSources {
    let mut sources = BundleSources::default();
    let mut budget = SKILLS;
    for skill in &request.skills {
        read_skill(skill, &mut budget, &mut sources).await;
    }
    if let Some(path) = &config.instructions_file_path {
        match fs::read(path).await {
            Ok(bytes) => sources.instructions = Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(cause) => sources.warnings.push(format!(
                "config.instructionsFilePath: `{path}` cannot be read ({cause}); the run has no instructions"
            )),
        }
    }
    if let Some(root) = instructions_root(config).filter(|_| with_root && sources.instructions.is_some()) {
        match walk(Path::new(&root), &mut INSTRUCTIONS.clone()).await {
            Ok(walked) => sources.instructions_root = walked.files,
            Err(cause) => sources.warnings.push(format!("files next to the instructions are not delivered: {cause}")),
        }
    }
    sources
}

async fn read_skill(skill: &SkillSource, budget: &mut Budget, sources: &mut BundleSources) {
    let name = &skill.runtime_name;
    if !is_path_part(name) || sources.skills.iter().any(|known| known.runtime_name == *name) {
        sources
            .warnings
            .push(format!("skill `{}` is left out: its name `{name}` is taken or no directory name", skill.key));
        return;
    }
    match walk(Path::new(&skill.source), budget).await {
        Ok(walked) => {
            sources.warnings.extend(walked.skipped.into_iter().map(|text| format!("skill `{name}`: {text}")));
            let skill = SkillFiles { key: skill.key.clone(), runtime_name: name.clone(), files: walked.files };
            sources.skills.push(skill);
        }
        Err(cause) => sources.warnings.push(format!("skill `{name}` is left out: {cause}")),
    }
}
