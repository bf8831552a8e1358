//! A kubeconfig file that the configuration of an agent names: read only where nobody but the operator can have put it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_k8s_core::connect::Unusable;
use claude_k8s_core::files::{CommonPlace, Step, Trouble, put_by_operator};
use claude_k8s_core::own_pod::OwnPod;
use claude_k8s_core::request::HostProcess;

use crate::files::{Budget, Found, Shared, find, own_uid};

/// A larger file is no kubeconfig. Unit: bytes.
const MAX: u64 = 1 << 20;
const TIME: Duration = Duration::from_secs(5);

/// Where agents and strangers can write, and what that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonGround(Vec<(CommonPlace, PathBuf)>);

impl CommonGround {
    /// `mounts`: where the host's own pod has volumes that pods of agents can mount.
    pub(super) fn of(host: &HostProcess, mounts: &[PathBuf]) -> Self {
        let home = host.env("PAPERCLIP_HOME").map(PathBuf::from);
        let usual = std::env::home_dir().map(|home| home.join(".paperclip"));
        let usual_mount = host.env("KUBERNETES_SERVICE_HOST").map(|_| PathBuf::from(OwnPod::DATA_MOUNT_PATH));
        let temporary = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from).into_iter().chain([std::env::temp_dir()]);
        let of = |place| move |path| (place, path);
        let homes = home.or(usual).into_iter().map(of(CommonPlace::Home));
        let volumes = mounts.iter().cloned().chain(usual_mount).map(of(CommonPlace::Volume));
        Self(homes.chain(volumes).chain(temporary.map(of(CommonPlace::Temporary))).collect())
    }

    /// The text of the file. The reason of a refusal says which condition failed, and nothing of the content.
    pub(super) fn read(&self, path: &Path) -> Result<String, Unusable> {
        self.read_beneath(Path::new("/"), path)
    }

    /// Whoever calls vouches for `root` and everything above it.
    fn read_beneath(&self, root: &Path, path: &Path) -> Result<String, Unusable> {
        let found = self.find(path)?;
        let steps: Vec<Step> = found.steps.iter().filter(|step| step.path.starts_with(root)).cloned().collect();
        put_by_operator(&steps, own_uid()).map_err(Unusable::Foreign)?;
        let bytes = found.read(&mut Budget::one(MAX, TIME)).map_err(|error| Unusable::Said(error.to_string()))?;
        String::from_utf8(bytes).map_err(|_| Unusable::NotText)
    }

    fn find(&self, path: &Path) -> Result<Found, Unusable> {
        for place in [CommonPlace::Home, CommonPlace::Volume, CommonPlace::Temporary] {
            let paths = self.0.iter().filter(|(known, _)| *known == place).map(|(_, path)| path);
            match find(path, &Shared::of(paths)) {
                Ok(found) if found.is_shared => return Err(Unusable::Common(place)),
                Err(error) if error.trouble == Trouble::Link => return Err(Unusable::Common(place)),
                Ok(_) | Err(_) => {}
            }
        }
        find(path, &Shared::default()).map_err(|error| Unusable::Said(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &str = "hush: 0123456789";

    /// A directory where an operator may put files.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            place.file("etc/kubeconfig");
            place.file("home/agent/kubeconfig");
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn file(&self, name: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), TEXT).unwrap();
            self.mode(name, 0o600);
        }

        fn mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        }

        fn read(&self, name: &str) -> Result<String, String> {
            let ground = CommonGround(vec![
                (CommonPlace::Home, self.path("home")),
                (CommonPlace::Volume, self.path("volume")),
                (CommonPlace::Temporary, self.path("tmp")),
            ]);
            // What is made for tests lies in a temporary directory itself.
            let read = ground.read_beneath(&self.path("").canonicalize().unwrap(), &self.path(name));
            assert!(!format!("{read:?}").contains("hush") || read.is_ok(), "{read:?}");
            read.map_err(|cause| cause.to_string())
        }

        fn reason(&self, name: &str) -> String {
            self.read(name).unwrap_err()
        }
    }

    #[test]
    fn tru_02_a_kubeconfig_file_is_the_operators_or_it_is_not_read() {
        let place = Place::new();
        assert_eq!(place.read("etc/kubeconfig").as_deref(), Ok(TEXT));
        symlink(place.path("etc/kubeconfig"), place.path("etc/link")).unwrap();
        assert_eq!(place.read("etc/link").as_deref(), Ok(TEXT), "a link that the operator laid");

        assert!(place.reason("etc/none").contains("no such file"), "{}", place.reason("etc/none"));
        assert!(place.reason("etc").contains("is no regular file"), "{}", place.reason("etc"));
        let fifo = place.path("etc/fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(place.reason("etc/fifo").contains("is no regular file"), "{}", place.reason("etc/fifo"));

        for mode in [0o620, 0o602] {
            place.mode("etc/kubeconfig", mode);
            assert!(place.reason("etc/kubeconfig").contains("is writable for others"), "{mode:o}");
        }
        place.mode("etc/kubeconfig", 0o600);
        for mode in [0o770, 0o1777] {
            place.mode("etc", mode);
            assert!(place.reason("etc/kubeconfig").contains("is writable for others"), "{mode:o}");
        }
        place.mode("etc", 0o755);
        assert!(place.read("etc/kubeconfig").is_ok());
        fs::write(place.path("etc/kubeconfig"), vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(place.reason("etc/kubeconfig").contains("larger than"), "{}", place.reason("etc/kubeconfig"));
    }

    #[test]
    fn tru_02_no_way_through_a_place_where_agents_write_leads_to_a_kubeconfig() {
        let place = Place::new();
        place.file("volume/kubeconfig");
        assert!(place.reason("home/agent/kubeconfig").contains("`PAPERCLIP_HOME`"));
        assert!(place.reason("volume/kubeconfig").contains("a volume that pods of agents can mount"));
        assert!(place.reason("etc/../home/agent/kubeconfig").contains("`PAPERCLIP_HOME`"));
        // From outside into it, from inside out of it, and by way of it.
        symlink(place.path("home/agent/kubeconfig"), place.path("etc/in")).unwrap();
        symlink(place.path("etc/kubeconfig"), place.path("home/agent/out")).unwrap();
        symlink(place.path("etc"), place.path("home/way")).unwrap();
        symlink("../home/way", place.path("etc/round")).unwrap();
        for name in ["etc/in", "home/agent/out", "home/way/kubeconfig", "etc/round/kubeconfig"] {
            assert!(place.reason(name).contains("`PAPERCLIP_HOME`"), "{name}: {}", place.reason(name));
        }
        place.file("tmp/kubeconfig");
        symlink(place.path("tmp/kubeconfig"), place.path("etc/tmp")).unwrap();
        assert!(place.reason("etc/tmp").contains("a temporary directory"), "{}", place.reason("etc/tmp"));
    }

    #[test]
    fn tru_02_home_own_volumes_and_temporary_directories_are_known() {
        let env = [("PAPERCLIP_HOME", "/srv/p"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let ground = CommonGround::of(&HostProcess { env, ..HostProcess::default() }, &["/data".into()]);
        for known in [
            (CommonPlace::Home, "/srv/p"),
            (CommonPlace::Volume, "/data"),
            (CommonPlace::Volume, "/paperclip"),
            (CommonPlace::Temporary, "/tmp"),
        ] {
            assert!(ground.0.contains(&(known.0, known.1.into())), "{known:?}");
        }
    }
}
