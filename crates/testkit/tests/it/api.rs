//! Requests, answers and errors of the API server.

use crate::builders::{job as job_named, secret};
use claude_k8s_testkit::{AdmissionRule, Script};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::setup::*;

#[tokio::test(start_paused = true)]
async fn a_repeated_create_is_already_exists() {
    let setup = setup(Script::new().never_ends());
    setup.create(job()).await;
    let error = setup.jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err();
    let status = status_of(error);
    assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(status.message, "jobs.batch \"run-1\" already exists");
    let details = status.details.unwrap();
    assert_eq!((details.kind.as_str(), details.name.as_str(), details.group.as_str()), ("jobs", "run-1", "batch"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_checks_and_stores_nothing() {
    let setup = setup(Script::new());
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    setup.jobs.create(&dry, &job().build().unwrap()).await.unwrap();
    assert!(setup.jobs.get_opt("run-1").await.unwrap().is_none());
    let bad = job().label("x", "not valid!").build().unwrap();
    assert_eq!(status_of(setup.jobs.create(&dry, &bad).await.unwrap_err()).code, 422);
}

#[tokio::test(start_paused = true)]
async fn invalid_objects_are_refused_with_the_field() {
    let setup = setup(Script::new());
    let long = "x".repeat(64);
    for (job, field) in [
        (job_named(&long), "metadata.name"),
        (job_named("Upper"), "metadata.name"),
        (job().pod_spec("restartPolicy", "Always"), "spec.template.spec.restartPolicy"),
        (job().pod_spec("volumes", json!([{"name": "a"}, {"name": "a"}])), "spec.template.spec.volumes.name"),
        (
            job().container("volumeMounts", json!([{"name": "a", "mountPath": "/a"}])),
            "spec.template.spec.containers[0].volumeMounts.name",
        ),
    ] {
        let error = setup.jobs.create(&PostParams::default(), &job.build().unwrap()).await.unwrap_err();
        let status = status_of(error);
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
        assert!(status.message.contains(field), "{} lacks {field}", status.message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_does_not_exist_is_named() {
    let setup = setup(Script::new());
    let jobs: Api<Job> = Api::namespaced(setup.client.clone(), "elsewhere");
    let status = status_of(jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err());
    assert_eq!((status.code, status.message.as_str()), (404, "namespaces \"elsewhere\" not found"));
    assert_eq!(status.details.unwrap().kind, "namespaces");
    let namespaces: Api<Namespace> = Api::all(setup.client.clone());
    assert!(namespaces.get(NAMESPACE).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn lists_are_paginated_and_selected() {
    let setup = setup(Script::new().never_ends());
    for number in 0..5 {
        setup.create(job_named(&format!("run-{number}")).label("agent", if number < 4 { "a" } else { "b" })).await;
    }
    let mut params = ListParams::default().labels("agent=a").limit(3);
    let page = setup.jobs.list(&params).await.unwrap();
    assert_eq!(page.items.len(), 3);
    assert_eq!(page.metadata.remaining_item_count, Some(1));
    params = params.continue_token(page.metadata.continue_.as_deref().unwrap());
    let rest = setup.jobs.list(&params).await.unwrap();
    assert_eq!(rest.items.len(), 1);
    assert_eq!(rest.items[0].metadata.name.as_deref(), Some("run-3"));
    setup.simulator.knobs().expire_watches();
    assert_eq!(status_of(setup.jobs.list(&params).await.unwrap_err()).code, 410);
    let one = setup.jobs.list(&ListParams::default().fields("metadata.name=run-4")).await.unwrap();
    assert_eq!(one.items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_born_with_an_owner_that_is_gone_is_collected() {
    let setup = setup(Script::new());
    let secrets: Api<Secret> = Api::default_namespaced(setup.client.clone());
    let orphan = secret("s", &[("a", "b")]).owned_by_job("run-1", "no-such-uid").build().unwrap();
    secrets.create(&PostParams::default(), &orphan).await.unwrap();
    assert!(secrets.get_opt("s").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_patch_changes_labels_but_not_the_pod_template_or_the_status() {
    let setup = setup(Script::new().never_ends());
    setup.create(job().suspended()).await;
    let patch = json!({"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "q"}}, "status": {"active": 7}});
    let patched = setup.jobs.patch("run-1", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    assert_eq!(patched.metadata.labels.unwrap()["kueue.x-k8s.io/queue-name"], "q");
    assert_eq!(patched.status.unwrap().active, None);
    let patch = json!({"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}});
    let status =
        status_of(setup.jobs.patch("run-1", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap_err());
    assert_eq!(status.code, 422);
    assert!(status.message.contains("field is immutable"), "{}", status.message);
    let stale = json!({"metadata": {"resourceVersion": "1"}});
    let status =
        status_of(setup.jobs.patch("run-1", &PatchParams::default(), &Patch::Merge(&stale)).await.unwrap_err());
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
}

#[tokio::test(start_paused = true)]
async fn a_denied_request_gets_the_text_of_the_authoriser_and_reviews_agree() {
    let setup = setup(Script::new());
    let knobs = setup.simulator.knobs();
    knobs.deny("create", "jobs");
    knobs.deny("*", "pods");
    let status = status_of(setup.jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err());
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert_eq!(
        status.message,
        "jobs.batch is forbidden: User \"system:serviceaccount:paperclip:paperclip\" cannot create resource \"jobs\" in API group \"batch\" in the namespace \"agents\""
    );
    let status = status_of(setup.pods.get("p").await.unwrap_err());
    assert!(status.message.starts_with("pods \"p\" is forbidden: "), "{}", status.message);

    let reviews: Api<SelfSubjectAccessReview> = Api::all(setup.client.clone());
    for (verb, group, resource, subresource, allowed) in [
        ("create", "batch", "jobs", None, false),
        ("list", "batch", "jobs", None, true),
        ("get", "", "pods", Some("log"), true),
        ("get", "", "pods", None, false),
    ] {
        let attributes = ResourceAttributes {
            namespace: Some(NAMESPACE.into()),
            verb: Some(verb.into()),
            group: Some(group.into()),
            resource: Some(resource.into()),
            subresource: subresource.map(Into::into),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        let answer = reviews.create(&PostParams::default(), &review).await.unwrap();
        assert_eq!(answer.status.unwrap().allowed, allowed, "{verb} {resource}");
    }
    knobs.allow_all();
    setup.create(job()).await;
}

#[tokio::test(start_paused = true)]
async fn admission_refuses_with_its_own_text() {
    let setup = setup(Script::new());
    let message = "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false".to_owned();
    setup.simulator.knobs().refuse_creates(AdmissionRule { resource: "jobs".into(), message, times: Some(1) });
    let status = status_of(setup.jobs.create(&PostParams::default(), &job().build().unwrap()).await.unwrap_err());
    assert_eq!(status.code, 403);
    assert!(
        status.message.starts_with("jobs.batch \"run-1\" is forbidden: violates PodSecurity"),
        "{}",
        status.message
    );
    setup.create(job()).await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_object_and_a_version_answer_in_the_usual_shape() {
    let setup = setup(Script::new());
    let status = status_of(setup.jobs.get("nope").await.unwrap_err());
    assert_eq!((status.code, status.reason.as_str()), (404, "NotFound"));
    assert_eq!(status.details.unwrap().kind, "jobs");
    assert_eq!(setup.client.apiserver_version().await.unwrap().major, "1");
}

#[tokio::test(start_paused = true)]
async fn every_request_is_recorded() {
    let setup = setup(Script::new().never_ends());
    setup.create(job()).await;
    setup.jobs.list(&ListParams::default().labels("a=b")).await.unwrap();
    let requests = setup.simulator.requests();
    let seen: Vec<_> = requests.iter().map(|r| (r.verb.as_str(), r.resource.as_str(), r.status)).collect();
    assert_eq!(seen, [("create", "jobs", Some(201)), ("list", "jobs", Some(200))]);
    assert_eq!(requests[0].body.as_ref().unwrap()["metadata"]["name"], "run-1");
    assert!(requests[1].query.contains("labelSelector=a%3Db"), "{}", requests[1].query);
    setup.simulator.clear_requests();
    assert_eq!(setup.simulator.request_count("list", "jobs"), 0);
}
