//! What a pod template lets its pods do, read from the body of whatever makes pods.
//!
//! Privileges stand in the template of Deployments and CronJobs as in Pods, in `containers`, `initContainers` and
//! `ephemeralContainers`. As SQL this took a tenth of a millisecond for each template, and fifty to plan.

use std::borrow::Cow;

use super::Tidy;
use super::build;
use super::found::{self, Found};
use super::object::{Object, elements, plain, repaired, text};
use super::parts::parts;
use super::structs::{Column, Value};
use crate::own;

/// Kinds of Kubernetes, and some that are like them, whose template stands in one place.
const OF_KUBERNETES: [&str; 11] = [
    "pods",
    "deployments",
    "daemonsets",
    "statefulsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "cronjobs",
    "podtemplates",
    "deploymentconfigs",
    "rollouts",
];

/// Hooks of a container's life, and probes, which can be commands.
const HOOKS: [&str; 2] = ["postStart", "preStop"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// SELinux types that confine nothing.
const SELINUX_UNCONFINED: [&str; 4] = ["spc_t", "unconfined_t", "container_runtime_t", "kubelet_t"];

/// How annotations are called that choose an AppArmor profile for a container, before there was a field for it.
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Annotations that choose a seccomp profile, for a pod and for a container, up to Kubernetes 1.26.
const SECCOMP: [&str; 2] = ["seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/"];

/// The annotation of pods that show a static pod of a kubelet.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Capabilities that a pod may add under the baseline of the Pod Security Standards and that lead to no other user's files
/// or devices.
const HARMLESS_CAPABILITIES: [&str; 11] = [
    "AUDIT_WRITE",
    "CHOWN",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Settings of the kernel that are a pod's own, by the baseline of the Pod Security Standards.
const SAFE_SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// A pod template; its fields are the columns of `workload_specs` with these names, where they are explained.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) seen_in: &'static str,
    pub(super) name: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) service_account: Option<String>,
    pub(super) assigned_node: Option<String>,
    pub(super) schedule: Option<String>,
    pub(super) privileged: bool,
    pub(super) host_process: bool,
    pub(super) host_network: bool,
    pub(super) host_pid: bool,
    pub(super) host_ipc: bool,
    pub(super) run_as_root: bool,
    pub(super) allow_privilege_escalation: bool,
    pub(super) share_process_namespace: bool,
    pub(super) proc_mount_unmasked: bool,
    pub(super) seccomp_unconfined: bool,
    pub(super) selinux_unconfined: bool,
    pub(super) apparmor_unconfined: bool,
    pub(super) mirror_pod: bool,
    pub(super) pod_spec_patch: bool,
    pub(super) builds: Tidy,
    pub(super) unsafe_sysctls: Tidy,
    pub(super) host_ports: Tidy,
    pub(super) node_programs: Tidy,
    pub(super) containers: Tidy,
    pub(super) images: Tidy,
    pub(super) image_of: Tidy,
    pub(super) sent_images: Tidy,
    pub(super) ephemeral_images: Tidy,
    pub(super) host_paths: Tidy,
    pub(super) capabilities: Tidy,
    pub(super) commands: Tidy,
    pub(super) resource_amounts: Tidy,
    pub(super) reasons: Tidy,
}

/// The fields, as SQL sees them.
pub(super) const COLUMNS: [Column<Template>; 29] = [
    ("seen_in", Value::Text(|template| Some(template.seen_in))),
    ("name", Value::Text(|template| template.name.as_deref())),
    ("owner", Value::Text(|template| template.owner.as_deref())),
    ("service_account", Value::Text(|template| template.service_account.as_deref())),
    ("assigned_node", Value::Text(|template| template.assigned_node.as_deref())),
    ("schedule", Value::Text(|template| template.schedule.as_deref())),
    ("privileged", Value::Flag(|template| template.privileged)),
    ("host_process", Value::Flag(|template| template.host_process)),
    ("host_network", Value::Flag(|template| template.host_network)),
    ("host_pid", Value::Flag(|template| template.host_pid)),
    ("host_ipc", Value::Flag(|template| template.host_ipc)),
    ("run_as_root", Value::Flag(|template| template.run_as_root)),
    ("allow_privilege_escalation", Value::Flag(|template| template.allow_privilege_escalation)),
    ("share_process_namespace", Value::Flag(|template| template.share_process_namespace)),
    ("proc_mount_unmasked", Value::Flag(|template| template.proc_mount_unmasked)),
    ("seccomp_unconfined", Value::Flag(|template| template.seccomp_unconfined)),
    ("selinux_unconfined", Value::Flag(|template| template.selinux_unconfined)),
    ("apparmor_unconfined", Value::Flag(|template| template.apparmor_unconfined)),
    ("mirror_pod", Value::Flag(|template| template.mirror_pod)),
    ("containers", Value::Set(|template| Some(&template.containers))),
    ("images", Value::Set(|template| Some(&template.images))),
    ("image_of", Value::Set(|template| Some(&template.image_of))),
    ("sent_images", Value::Set(|template| Some(&template.sent_images))),
    ("ephemeral_images", Value::Set(|template| Some(&template.ephemeral_images))),
    ("host_paths", Value::Set(|template| Some(&template.host_paths))),
    ("capabilities", Value::Set(|template| Some(&template.capabilities))),
    ("commands", Value::Set(|template| Some(&template.commands))),
    ("resource_amounts", Value::Set(|template| Some(&template.resource_amounts))),
    ("reasons", Value::Set(|template| Some(&template.reasons))),
];

/// The template that a request wrote: as it was stored when the answer holds one, else as it was sent.
pub(super) fn read(resource: &str, namespace: &str, stored: &str, sent: &str) -> Option<Template> {
    let (stored, sent) = (repaired(stored), repaired(sent));
    let (stored_parts, sent_parts) = (parts(&stored).unwrap_or_default(), parts(&sent).unwrap_or_default());
    let (stored, sent) = (specs(resource, &stored_parts), specs(resource, &sent_parts));
    let (seen_in, specs, parts) = match (stored.is_empty(), sent.is_empty()) {
        (false, _) => ("response", &stored, &stored_parts),
        (true, false) => ("request", &sent, &sent_parts),
        (true, true) => return None,
    };
    let mut template = Template { seen_in, ..Template::default() };
    for object in parts.iter().filter_map(|part| Object::of(part)) {
        template.add_object(&object);
    }
    for found in specs {
        template.add_spec(found);
    }
    // The old name of the field counts where the new one is not there.
    for field in ["serviceAccountName", "serviceAccount"] {
        if template.service_account.is_none() {
            specs.iter().for_each(|found| lower(&mut template.service_account, found.spec.text(field)));
        }
    }
    for found in &sent {
        found::containers(&found.spec).for_each(|(one, _)| add(&mut template.sent_images, one.text("image")));
        build::strategies(&found.spec).iter().for_each(|one| add(&mut template.sent_images, one.image()));
    }
    template.reasons = reasons(&template, namespace);
    Some(template)
}

/// The specifications of pods in the objects of a body.
fn specs<'a>(resource: &str, parts: &'a [Cow<'a, str>]) -> Vec<Found<'a>> {
    if OF_KUBERNETES.contains(&resource) {
        let found = parts.iter().filter_map(|part| spec(resource, part)).filter(|spec| !spec.is_empty());
        let found: Vec<_> = found.map(|spec| Found { spec, part: String::new() }).collect();
        // Volcano has jobs of its own, with a template for each of their tasks.
        if !found.is_empty() || resource != "jobs" {
            return found;
        }
    }
    parts.iter().flat_map(|part| found::specs(part)).collect()
}

/// Where the template stands in an object of this kind, and in it the specification of the pod.
fn spec<'a>(resource: &str, part: &'a str) -> Option<Object<'a>> {
    let object = Object::of(part)?;
    match resource {
        "pods" => match object.get("spec") {
            Some(spec) => Object::of(spec),
            // Kubernetes 1.20 and 1.21 took a list of its own kind at `pods/ephemeralcontainers`.
            None => object.get("ephemeralContainers").filter(|list| list.starts_with('[')).map(|_| object),
        },
        "podtemplates" => object.object("template")?.object("spec"),
        "cronjobs" => object.object("spec")?.object("jobTemplate")?.object("spec")?.object("template")?.object("spec"),
        _ => object.object("spec")?.object("template")?.object("spec"),
    }
}

impl Template {
    /// What is said of the object beside its specification.
    fn add_object(&mut self, object: &Object<'_>) {
        let spec = object.object("spec");
        lower(&mut self.schedule, spec.as_ref().and_then(schedule));
        // A CronJob has it one step deeper.
        let template = spec
            .and_then(|spec| match spec.object("jobTemplate") {
                Some(job) => job.object("spec")?.object("template"),
                None => spec.object("template"),
            })
            .and_then(|template| template.object("metadata")?.object("annotations"));
        let metadata = object.object("metadata");
        let annotations = metadata.as_ref().and_then(|metadata| metadata.object("annotations"));
        for (name, value) in [&annotations, &template].into_iter().flatten().flat_map(Object::members) {
            let is_unconfined = text(value).as_deref() == Some("unconfined");
            self.apparmor_unconfined |= is_unconfined && name.starts_with(APPARMOR);
            self.seccomp_unconfined |= is_unconfined && SECCOMP.iter().any(|begin| name.starts_with(begin));
        }
        self.mirror_pod |= annotations.is_some_and(|annotations| annotations.get(MIRROR).is_some());
        let Some(metadata) = metadata else { return };
        lower(&mut self.name, metadata.text("name"));
        for owner in metadata.objects("ownerReferences").filter(|owner| owner.is_true("controller")) {
            if let (Some(kind), Some(name)) = (owner.text("kind"), owner.text("name")) {
                lower(&mut self.owner, Some(format!("{kind}/{name}").into()));
            }
        }
    }

    fn add_spec(&mut self, found: &Found<'_>) {
        let spec = &found.spec;
        self.host_network |= spec.is_true("hostNetwork");
        self.host_pid |= spec.is_true("hostPID");
        self.host_ipc |= spec.is_true("hostIPC");
        self.share_process_namespace |= spec.is_true("shareProcessNamespace");
        lower(&mut self.assigned_node, spec.text("nodeName"));
        for volume in spec.objects("volumes") {
            add(&mut self.host_paths, volume.object("hostPath").and_then(|path| path.text("path")));
            add(&mut self.images, volume.object("image").and_then(|image| image.text("reference")));
            // The kubelet runs the driver, and git with the hooks of the repository, as root on the node.
            let driver = volume.object("flexVolume").and_then(|flex| flex.text("driver"));
            add(&mut self.node_programs, driver.map(|driver| format!("flexVolume driver {driver}").into()));
            let repository = volume.object("gitRepo").and_then(|git| git.text("repository"));
            add(&mut self.node_programs, repository.map(|from| format!("gitRepo {from}").into()));
            // Disks of KubeVirt's machines.
            add(&mut self.host_paths, volume.object("hostDisk").and_then(|disk| disk.text("path")));
            add(&mut self.images, volume.object("containerDisk").and_then(|disk| disk.text("image")));
        }
        // What Argo puts into the pods besides, as YAML or JSON in a text: anything can stand in it.
        self.pod_spec_patch |= spec.text("podSpecPatch").is_some();
        if let Some(context) = spec.object("securityContext") {
            let named = context.objects("sysctls").collect::<Vec<_>>();
            let named = named.iter().filter_map(|one| one.text("name")).map(|name| name.replace('/', "."));
            self.unsafe_sysctls.extend(named.filter(|name| !SAFE_SYSCTLS.contains(&name.as_str())));
            self.add_context(&context);
        }
        for (container, alone) in found::containers(spec) {
            self.add_container(&container, &found.part, alone);
        }
        self.add_build(found);
        for container in spec.objects("ephemeralContainers") {
            add(&mut self.ephemeral_images, container.text("image"));
        }
    }

    /// Adds what OpenShift is to build, where it is that.
    fn add_build(&mut self, found: &Found<'_>) {
        for strategy in build::strategies(&found.spec) {
            self.builds.extend(strategy.danger.map(str::to_owned));
            if let Some(image) = strategy.image() {
                self.image_of.insert(format!("{}{}={image}", found.part, strategy.name));
                add(&mut self.images, Some(image));
            }
            add(&mut self.host_paths, strategy.host_path());
            add(&mut self.commands, strategy.pipeline());
        }
        add(&mut self.commands, build::dockerfile(&found.spec));
    }

    /// Adds a container of a part of the object, which is called `alone` where it has no name.
    fn add_container(&mut self, container: &Object<'_>, part: &str, alone: &'static str) {
        let name = container.text("name").or_else(|| (!alone.is_empty()).then_some(Cow::Borrowed(alone)));
        let image = container.text("image");
        if let Some(image) = &image {
            self.image_of.insert(format!("{part}{}={image}", name.as_deref().unwrap_or_default()));
        }
        add(&mut self.containers, name);
        add(&mut self.images, image);
        self.add_command(container, &["command", "args"]);
        // Of Tekton's steps, and of Argo's scripts.
        add(&mut self.commands, container.text("script"));
        add(&mut self.commands, container.text("source"));
        // The kubelet runs these in the container too.
        let lifecycle = container.object("lifecycle");
        let hooks = HOOKS.map(|hook| lifecycle.as_ref()?.object(hook));
        for hook in hooks.into_iter().chain(PROBES.map(|probe| container.object(probe))).flatten() {
            if let Some(run) = hook.object("exec") {
                self.add_command(&run, &["command"]);
            }
        }
        for amounts in ["requests", "limits"].map(|list| container.object("resources")?.object(list)) {
            for (name, amount) in amounts.iter().flat_map(Object::members) {
                add(&mut self.resource_amounts, plain(amount).map(|amount| format!("{name}={amount}").into()));
            }
        }
        for port in container.objects("ports") {
            add(&mut self.host_ports, port.get("hostPort").filter(|port| *port != "0").and_then(plain));
        }
        let Some(context) = container.object("securityContext") else { return };
        self.privileged |= context.is_true("privileged");
        self.allow_privilege_escalation |= context.is_true("allowPrivilegeEscalation");
        self.proc_mount_unmasked |= context.text("procMount").as_deref() == Some("Unmasked");
        let added = context.object("capabilities").and_then(|capabilities| capabilities.get("add"));
        for capability in added.map(elements).unwrap_or_default() {
            add(&mut self.capabilities, text(capability));
        }
        self.add_context(&context);
    }

    /// Adds the words of lists as one command.
    fn add_command(&mut self, object: &Object<'_>, lists: &[&str]) {
        let words: Vec<Cow<'_, str>> = lists.iter().flat_map(|list| object.elements(list)).filter_map(plain).collect();
        add(&mut self.commands, Some(words.join(" ").into()));
    }

    /// What a container and a pod can both say.
    fn add_context(&mut self, context: &Object<'_>) {
        let kind = |name: &str| context.object(name).and_then(|profile| profile.text("type"));
        self.run_as_root |= context.get("runAsUser") == Some("0");
        self.host_process |= context.object("windowsOptions").is_some_and(|windows| windows.is_true("hostProcess"));
        self.seccomp_unconfined |= kind("seccompProfile").as_deref() == Some("Unconfined");
        self.apparmor_unconfined |= kind("appArmorProfile").as_deref() == Some("Unconfined");
        self.selinux_unconfined |= kind("seLinuxOptions").is_some_and(|kind| SELINUX_UNCONFINED.contains(&&*kind));
    }
}

/// Why the pods could get at the node or at others, in words.
fn reasons(template: &Template, namespace: &str) -> Tidy {
    let said = [
        (template.privileged, "privileged"),
        (template.host_process, "host process"),
        (template.host_network, "host network"),
        (template.host_pid, "host PID"),
        (template.host_ipc, "host IPC"),
        (template.share_process_namespace, "shared process namespace"),
        (template.proc_mount_unmasked, "unmasked proc"),
        (template.seccomp_unconfined, "seccomp unconfined"),
        (template.selinux_unconfined, "SELinux unconfined"),
        (template.apparmor_unconfined, "AppArmor unconfined"),
        (template.pod_spec_patch, "pod spec patched by text"),
    ];
    let mut reasons: Tidy = said.iter().filter(|(is_so, _)| *is_so).map(|(_, words)| (*words).to_owned()).collect();
    // A controller's own account in somebody's pod: its rights are those of the control plane.
    let account = template.service_account.as_deref().unwrap_or_default();
    if namespace == "kube-system" && account.ends_with("-controller") && own::is_component(account) {
        reasons.insert(format!("service account {account}"));
    }
    reasons.extend(template.builds.iter().cloned());
    reasons.extend(template.host_paths.iter().map(|path| format!("host path {path}")));
    reasons.extend(template.unsafe_sysctls.iter().map(|name| format!("sysctl {name}")));
    reasons.extend(template.node_programs.iter().cloned());
    // In the network of the node every port is one of the node's, and the server writes them down as such.
    let ports = template.host_ports.iter().filter(|_| !template.host_network);
    reasons.extend(ports.map(|port| format!("host port {port}")));
    for capability in &template.capabilities {
        let capability = capability.to_uppercase();
        let capability = capability.strip_prefix("CAP_").unwrap_or(&capability);
        if !HARMLESS_CAPABILITIES.contains(&capability) {
            reasons.insert(format!("capability {capability}"));
        }
    }
    reasons
}

/// When an object runs its pods: a CronJob has one time, Argo's CronWorkflows can have several, and Kubeflow's put theirs deeper.
fn schedule<'a>(spec: &Object<'a>) -> Option<Cow<'a, str>> {
    let deeper = || spec.object("trigger")?.object("cronSchedule")?.text("cron");
    let several = || {
        let times: Vec<_> = spec.elements("schedules").into_iter().filter_map(text).collect();
        (!times.is_empty()).then(|| times.join(", ").into())
    };
    spec.text("schedule").or_else(deeper).or_else(several)
}

fn add(list: &mut Tidy, text: Option<Cow<'_, str>>) {
    list.extend(text.filter(|text| !text.is_empty()).map(Cow::into_owned));
}

/// The first of several texts in their order: which one it is must not depend on where it stands.
fn lower(least: &mut Option<String>, text: Option<Cow<'_, str>>) {
    if let Some(text) = text.filter(|text| least.as_deref().is_none_or(|least| **text < *least)) {
        *least = Some(text.into_owned());
    }
}
