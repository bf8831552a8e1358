//! The calls of one namespace, each with a time limit and a name for messages.

mod answer;
mod deadline;
mod named;
mod operator;
mod patience;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::answers::PAGE;
use claude_k8s_core::api_failure::{ApiFailure, Purpose};
use claude_k8s_core::launch::Call;
use claude_k8s_core::permissions::{Access, Permission};
use claude_k8s_core::view::{JobFacts, Listed, Listing, PodOfJob};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::client::Body;
use kube::core::{ObjectMeta, PartialObjectMeta};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

pub(crate) use answer::{answer, explain};
pub use patience::{Asking, Patience, Teller, patiently, pauses};
pub use stored::Stored;

/// A single call.
pub const CALL: Duration = Duration::from_secs(10);
/// A list of the guard.
pub const GUARD_LIST: Duration = Duration::from_secs(15);

/// What the server does with an object that it is given.
#[derive(Debug, Clone, Copy)]
enum Validation {
    /// Stores it, and warns of what it does not know.
    Store,
    /// The same without storing it.
    Check,
    /// Refuses what it does not know, without storing it.
    Strict,
}

impl Validation {
    fn query(self) -> &'static str {
        match self {
            Self::Store => "fieldValidation=Warn",
            Self::Check => "dryRun=All&fieldValidation=Warn",
            Self::Strict => "dryRun=All&fieldValidation=Strict",
        }
    }
}

/// The namespace the Jobs live in.
#[derive(Clone)]
pub struct Namespace {
    client: Client,
    /// Its name.
    pub name: String,
    observer: Option<Observer>,
}

/// Hears of every finished call: what it was, how it ended, how long it took.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

impl Namespace {
    /// A namespace of a cluster.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), observer: None }
    }

    /// The same namespace, its calls told to an observer.
    #[must_use]
    pub fn observed(&self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self.clone() }
    }

    /// The client, for watches.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All namespaces at once: only lists and watches make sense there.
    #[must_use]
    pub fn everywhere(client: Client) -> Self {
        Self::new(client, "")
    }

    /// Its objects of one kind.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        if self.name.is_empty() {
            Api::all(self.client.clone())
        } else {
            Api::namespaced(self.client.clone(), &self.name)
        }
    }

    /// Creates a Job. Never repeated: an answer that was lost is resolved by reading back (GRD-11).
    ///
    /// # Errors
    /// Any failed call.
    pub async fn create_job(&self, job: &Value) -> Result<Stored, ApiFailure> {
        self.post_job("Creating", job, Validation::Store).await
    }

    /// Asks the server to check a Job without storing it. `strict`: to refuse members that it does not know.
    ///
    /// # Errors
    /// Any failed call; `Rejected` with the text of quota, admission or Pod Security.
    pub async fn dry_run_job(&self, job: &Value, strict: bool) -> Result<Stored, ApiFailure> {
        let validation = if strict { Validation::Strict } else { Validation::Check };
        self.post_job(named::DRY_RUN, job, validation).await
    }

    /// As it is: what the compiled API types do not know may be known to the server.
    async fn post_job(&self, verb: &str, job: &Value, validation: Validation) -> Result<Stored, ApiFailure> {
        let name = job.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let post = async {
            let uri = format!("{}?{}", Job::url_path(&(), Some(&self.name)), validation.query());
            let request = http::Request::post(uri).header(http::header::CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(job.to_string().into_bytes())).map_err(kube::Error::HttpError)?;
            Stored::read(self.client.send(request).await?).await
        };
        self.limited(CALL, self.what(verb, "Job", name), "jobs", post).await
    }

    /// Reads a Job by name.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn get_job(&self, name: &str) -> Result<Job, ApiFailure> {
        let api = self.api::<Job>();
        self.answered(CALL, self.what("Reading", "Job", name), "jobs", api.get(name)).await
    }

    /// Reads a pod by name.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn get_pod(&self, name: &str) -> Result<Pod, ApiFailure> {
        let api = self.api::<Pod>();
        self.answered(CALL, self.what("Reading", "pod", name), "pods", api.get(name)).await
    }

    /// Patches a Job with a JSON merge patch.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn patch_job(&self, name: &str, patch: &Value) -> Result<Job, ApiFailure> {
        let (api, params) = (self.api::<Job>(), PatchParams::default());
        let patch = Patch::Merge(patch);
        self.limited(CALL, self.what("Patching", "Job", name), "jobs", api.patch(name, &params, &patch)).await
    }

    /// Deletes a Job by uid, its pods in the background. What the row of `call` knows by a failure is done: gone
    /// already, or another object of the same name.
    ///
    /// Without a propagation policy the pods would run on without an owner (`docs/internals/kubernetes.md` 4.3).
    ///
    /// # Errors
    /// Any other failed call.
    pub async fn delete_job(&self, call: Call, name: &str, uid: &str) -> Result<(), ApiFailure> {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        let api = self.api::<Job>();
        let deleted = self.limited(CALL, self.what("Deleting", "Job", name), "jobs", api.delete(name, &params)).await;
        done(call, deleted.map(drop))
    }

    /// Creates a Secret.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn create_secret(&self, secret: &Secret) -> Result<Secret, ApiFailure> {
        let name = secret.metadata.name.as_deref().unwrap_or_default();
        let (api, params) = (self.api::<Secret>(), PostParams::default());
        self.limited(CALL, self.what("Creating", "Secret", name), "secrets", api.create(&params, secret)).await
    }

    /// Deletes a Secret; with a uid only that very one. What the row of [`Call::DeleteSecret`] knows by a failure is done:
    /// gone already, or another object of the same name.
    ///
    /// # Errors
    /// Any other failed call.
    pub async fn delete_secret(&self, name: &str, uid: Option<&str>) -> Result<(), ApiFailure> {
        let only = |uid: &str| Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: uid.map(only), ..DeleteParams::default() };
        let api = self.api::<Secret>();
        let deleted =
            self.limited(CALL, self.what("Deleting", "Secret", name), "secrets", api.delete(name, &params)).await;
        done(Call::DeleteSecret, deleted.map(drop))
    }

    /// Lists the Jobs of a selector, consistently (not from a stale cache).
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_jobs(&self, selector: &str) -> Result<Vec<JobFacts>, ApiFailure> {
        self.list("Jobs", "jobs", selector, |job| JobFacts::of(&job), JobFacts::weight).await
    }

    /// Lists the pods of a selector that belong to a Job, consistently.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_job_pods(&self, selector: &str) -> Result<Vec<PodOfJob>, ApiFailure> {
        self.list("pods", "pods", selector, |pod| PodOfJob::of(&pod), PodOfJob::weight).await
    }

    /// Lists the whole pods of a selector, consistently: only from a server that the operator has chosen.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_pods(&self, selector: &str) -> Result<Vec<Pod>, ApiFailure> {
        self.list("pods", "pods", selector, Some, |_| 0).await
    }

    /// Lists Secrets of a selector. Values are not kept.
    ///
    /// # Errors
    /// Any failed call; the Role of a host does not grant it.
    pub async fn list_secrets(&self, selector: &str) -> Result<Vec<ObjectMeta>, ApiFailure> {
        let secrets: Vec<PartialObjectMeta<Secret>> = {
            let api = self.api::<Secret>();
            let params = ListParams::default().labels(selector);
            let what = self.listing("Secrets");
            self.answered(GUARD_LIST, what, "secrets", api.list_metadata(&params)).await?.items
        };
        Ok(secrets.into_iter().map(|secret| secret.metadata).collect())
    }

    /// Events about one object, oldest first.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn events_of(&self, uid: &str) -> Result<Vec<Event>, ApiFailure> {
        self.events(&format!("involvedObject.uid={uid}")).await
    }

    /// Events about objects of one kind, oldest first.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn events_of_kind(&self, kind: &str) -> Result<Vec<Event>, ApiFailure> {
        self.events(&format!("involvedObject.kind={kind}")).await
    }

    async fn events(&self, fields: &str) -> Result<Vec<Event>, ApiFailure> {
        let params = ListParams::default().fields(fields);
        let api = self.api::<Event>();
        let what = self.listing("events");
        let mut events = self.answered(CALL, what, "events", api.list(&params)).await?.items;
        events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
        Ok(events)
    }

    /// May we?
    ///
    /// # Errors
    /// Any failed call.
    pub async fn may(&self, permission: Permission) -> Result<bool, ApiFailure> {
        self.may_named(permission.access(), None).await
    }

    /// The same for one object: a Role may grant a verb for certain names only.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn may_named(&self, access: Access, name: Option<&str>) -> Result<bool, ApiFailure> {
        let Access { group, resource, verb } = access;
        let (resource, subresource) = match resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (resource, None),
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: Some(group.to_owned()),
                    resource: Some(resource.to_owned()),
                    subresource,
                    verb: Some(verb.as_str().to_owned()),
                    namespace: Some(self.name.clone()),
                    name: name.map(str::to_owned),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let params = PostParams::default();
        let what = named::asking(access);
        let answer = self.answered(CALL, what, "selfsubjectaccessreviews", api.create(&params, &review)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Version of the server, for example `1.35.4`, and its major and minor numbers.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn server_version(&self) -> Result<(String, u32, u32), ApiFailure> {
        let info = self.answered(CALL, named::version(), "version", self.client.apiserver_version()).await?;
        let number =
            |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
        Ok((info.git_version.clone(), number(&info.major), number(&info.minor)))
    }

    /// Does the namespace exist?
    ///
    /// # Errors
    /// Any failed call; `NotFound` is an answer too.
    pub async fn exists(&self) -> Result<(), ApiFailure> {
        let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        self.answered(CALL, self.reading_itself(), "namespaces", api.get(&self.name)).await.map(drop)
    }

    /// Does a Secret exist? Its content is not kept.
    ///
    /// # Errors
    /// Any failed call; `NotFound` is an answer too.
    pub async fn secret_exists(&self, name: &str) -> Result<(), ApiFailure> {
        let api = self.api::<Secret>();
        self.answered(CALL, self.what("Reading", "Secret", name), "secrets", api.get(name)).await.map(drop)
    }

    /// Reads a claim.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn get_claim(&self, name: &str) -> Result<PersistentVolumeClaim, ApiFailure> {
        let api = self.api::<PersistentVolumeClaim>();
        self.answered(CALL, self.what("Reading", "claim", name), "persistentvolumeclaims", api.get(name)).await
    }

    /// Runs a call that changes something under a limit; dropping it closes its connection.
    async fn limited<T>(
        &self,
        limit: Duration,
        what: String,
        resource: &str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ApiFailure> {
        self.judged(limit, what, resource, Purpose::Act, call).await
    }

    /// The same for a call that only asks.
    async fn answered<T>(
        &self,
        limit: Duration,
        what: String,
        resource: &str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ApiFailure> {
        self.judged(limit, what, resource, Purpose::Ask, call).await
    }

    async fn judged<T>(
        &self,
        limit: Duration,
        what: String,
        resource: &str,
        purpose: Purpose,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ApiFailure> {
        let started = Instant::now();
        let answer = match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer.map_err(|error| answer::read(what.clone(), resource, purpose, &error)),
            Err(_) => Err(ApiFailure::timed_out(what.clone(), limit)),
        };
        if let Some(observer) = &self.observer {
            let cause = answer.as_ref().err().map(|failure| failure.cause.as_str());
            observer(&named::done(&what, cause, started.elapsed()));
        }
        answer
    }

    async fn list<K, T>(
        &self,
        kind: &str,
        resource: &str,
        selector: &str,
        keep: fn(K) -> Option<T>,
        weight: fn(&T) -> usize,
    ) -> Result<Vec<T>, ApiFailure>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        self.answered(GUARD_LIST, self.listing(kind), resource, self.pages(selector, keep, weight)).await
    }

    /// All pages of a list, however long they take. `keep`: what of an object outlives its page; `weight`: how many bytes
    /// that takes.
    pub(crate) async fn pages<K, T>(
        &self,
        selector: &str,
        keep: fn(K) -> Option<T>,
        weight: fn(&T) -> usize,
    ) -> Result<Vec<T>, kube::Error>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let api = self.api::<K>();
        let mut listing = Listing::default();
        let mut params = ListParams::default().labels(selector).limit(PAGE);
        loop {
            let page = api.list(&params).await?;
            for item in page.items {
                listing.push(keep(item), weight).map_err(|too_much| kube::Error::Service(too_much.into()))?;
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(listing.into_kept()),
            }
        }
    }
}

fn done(call: Call, deleted: Result<(), ApiFailure>) -> Result<(), ApiFailure> {
    match deleted {
        Err(failure) if call.knows_by(failure.kind) => Ok(()),
        other => other,
    }
}
