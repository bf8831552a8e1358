//! From the host's disk to [`BundleSources`]. Nothing here ends a run: what cannot be read is named and left out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::files::{READ_TIME, ROOT_BYTES, ROOT_FILES, SKILLS_BYTES, SKILLS_FILES};
use claude_k8s_core::own_pod::OwnPod;
use claude_k8s_core::plan::{
    BundleFile, BundleSources, LeftOut, SkillFiles, check_instructions, instructions_root, shared_directories,
};
use claude_k8s_core::request::{RunRequest, SkillSource};

use crate::files::{Budget, FileError, FileRead, Found, Root, Shared, blocking, find};

/// A file system that answers slowly is told by the reader itself, one that hangs by this.
const GRACE: Duration = Duration::from_secs(1);

/// What to read, decided before the disk is touched.
struct Wanted {
    skills: Vec<SkillSource>,
    /// The file; it lies where instructions may lie.
    instructions: Option<PathBuf>,
    /// Its directory.
    root: Option<PathBuf>,
    /// Where links may be an agent's.
    shared: Vec<String>,
    /// The pod sees nothing of the host's disk.
    far: bool,
}

/// Reads the skills and instructions of a run, in [`READ_TIME`].
///
/// `far`: the pod cannot see the host's disk, so the directory of the instructions has to travel, too.
pub async fn read(request: &RunRequest, config: &Config, own: Option<&OwnPod>, far: bool) -> BundleSources {
    let instructions = config.instructions_file_path.as_ref().filter(|_| check_instructions(request, config).is_ok());
    let wanted = Wanted {
        skills: request.skills.clone(),
        instructions: instructions.map(PathBuf::from),
        root: instructions_root(config).map(PathBuf::from),
        shared: shared_directories(request, own),
        far,
    };
    if wanted.skills.is_empty() && wanted.instructions.is_none() {
        return BundleSources::default();
    }
    let place = wanted.instructions.clone().or_else(|| Some(wanted.skills.first()?.source.clone().into()));
    let all = blocking(&place.unwrap_or_default(), READ_TIME + GRACE, move || Ok(read_all(&wanted))).await;
    all.unwrap_or_else(|cause| {
        let mut none = BundleSources::default();
        none.leaves_out(LeftOut::Everything, cause);
        none
    })
}

fn read_all(wanted: &Wanted) -> BundleSources {
    let shared = Shared::of(&wanted.shared);
    let mut sources = BundleSources::default();
    let mut budget = Budget::new(SKILLS_BYTES, SKILLS_FILES, READ_TIME);
    if let Some(file) = &wanted.instructions
        && let Err(cause) = read_instructions(file, wanted, &shared, &budget, &mut sources)
    {
        sources.leaves_out(LeftOut::Instructions, cause);
    }
    for skill in &wanted.skills {
        read_skill(skill, &shared, &mut budget, &mut sources);
    }
    sources
}

/// The root is the file's own directory: a link in it may lead to another file of it, and nowhere else.
fn read_instructions(
    file: &Path,
    wanted: &Wanted,
    shared: &Shared,
    budget: &Budget,
    sources: &mut BundleSources,
) -> Result<(), FileError> {
    let found = find(file.parent().unwrap_or(file), shared)?;
    let seen_by_pods = found.is_shared && !wanted.far;
    let root = found.open_dir()?;
    let bytes = root.read(file.file_name().unwrap_or_default(), &mut budget.clone())?;
    sources.instructions = Some(String::from_utf8_lossy(&bytes).into_owned());
    let Some(directory) = wanted.root.as_ref().filter(|_| !seen_by_pods) else { return Ok(()) };
    let walked = find(directory, shared).and_then(Found::open_dir);
    match walked.and_then(|root| root.walk(&mut budget.with(ROOT_BYTES, ROOT_FILES))) {
        Ok(walked) => {
            walked.skipped.iter().for_each(|text| sources.leaves_out(LeftOut::OneBeside, text));
            sources.instructions_root = walked.files.into_iter().map(bundle_file).collect();
        }
        Err(cause) => sources.leaves_out(LeftOut::Beside, cause),
    }
    Ok(())
}

fn read_skill(skill: &SkillSource, shared: &Shared, budget: &mut Budget, sources: &mut BundleSources) {
    let name = &skill.runtime_name;
    if !sources.takes(name) {
        sources.leaves_out_name(&skill.key, name);
        return;
    }
    match Root::open(Path::new(&skill.source), shared).and_then(|root| root.walk(budget)) {
        Ok(walked) => {
            walked.skipped.iter().for_each(|text| sources.leaves_out(LeftOut::OneOfSkill(name), text));
            let files = walked.files.into_iter().map(bundle_file).collect();
            sources.skills.push(SkillFiles { key: skill.key.clone(), runtime_name: name.clone(), files });
        }
        Err(cause) => sources.leaves_out(LeftOut::Skill(name), cause),
    }
}

fn bundle_file(file: FileRead) -> BundleFile {
    BundleFile { path: file.path, bytes: file.bytes, executable: file.executable }
}
