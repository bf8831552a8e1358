//! The facts a run is resolved from: permissions, placement, files on the host's disk.

use std::collections::BTreeSet;
use std::path::PathBuf;

use claude_k8s_core::config::Config;
use claude_k8s_core::files::{Kind, READ_TIME, Trouble};
use claude_k8s_core::permissions::Permissions;
use claude_k8s_core::plan::{
    ClaimFacts, HOME_SETTINGS, HOME_SETTINGS_MAX, HomeSettings, Surroundings, VolumeFacts, directories_to_check,
    home_is_new, home_on_host, places_to_look_at,
};
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::target::Placement;

use super::own_pod::OwnPlace;
use crate::files::{self, Budget, Root, Shared, seen};
use crate::{bundle, volume};

pub(super) async fn surroundings(
    request: &RunRequest,
    config: &Config,
    namespace: &str,
    own: &OwnPlace,
    claims: &[ClaimFacts],
    permissions: &Permissions,
) -> Surroundings {
    let placement = own.placement(namespace);
    let directories = directories_to_check(request, config);
    let existing = directories
        .into_iter()
        .filter(|path| matches!(seen(path.as_ref()), Some((Kind::Directory, _))))
        .collect::<BTreeSet<_>>();
    let places = places_to_look_at(request, config, own.pod.as_ref(), placement);
    let volume = match places {
        Some(places) => volume::look(places).await,
        None => VolumeFacts::default(),
    };
    let mut surroundings = Surroundings {
        own_pod: own.pod.clone(),
        placement,
        namespace: namespace.to_owned(),
        payload: permissions.payload_mode(),
        may_patch_jobs: permissions.may_patch_jobs(),
        bundle: bundle::read(request, config, own.pod.as_ref(), placement != Placement::SameNamespace).await,
        existing_directories: existing,
        warnings: own.missing.iter().cloned().collect(),
        claims: claims.to_vec(),
        volume,
        degraded: permissions.degraded(),
        home: HomeSettings::Unseen,
    };
    surroundings.home = home_settings(request, config, &surroundings).await;
    surroundings
}

/// The settings of the agent's home. What cannot be read counts as not seen: nothing is concluded from it.
async fn home_settings(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> HomeSettings {
    if home_is_new(request, config, surroundings) {
        return HomeSettings::none();
    }
    let Some(home) = home_on_host(request, config, surroundings) else { return HomeSettings::Unseen };
    let home = PathBuf::from(home);
    let shared = home.clone();
    let read = files::blocking(&home, READ_TIME, move || {
        let home = Root::open(&shared, &Shared::default())?;
        home.read(HOME_SETTINGS, &mut Budget::one(HOME_SETTINGS_MAX, READ_TIME))
    });
    match read.await {
        Ok(content) => HomeSettings::read(&content),
        Err(error) if error.trouble == Trouble::Missing => HomeSettings::none(),
        Err(_) => HomeSettings::Unseen,
    }
}

/// Host and pod share the data volume.
pub(super) fn may_stage(request: &RunRequest, placement: Placement, own: &OwnPlace) -> bool {
    let home = request.host.env("PAPERCLIP_HOME");
    let claim = own.pod.as_ref().and_then(|pod| pod.data_claim(home));
    placement == Placement::SameNamespace && claim.is_some()
}
