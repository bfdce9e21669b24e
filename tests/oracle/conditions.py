"""Conditions on requests: what the questions of queries that list requests ask for (see `counts.py`)."""

import posixpath
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import oracle
from oracle import CHANGE_VERBS, READ_VERBS, is_rbac, section

OWN = ["-p", "own=true"]
WRITES = {"create", "update", "patch"}
DELETES = {"delete", "deletecollection"}
SYSTEM = {"kube-system", "kube-public", "kube-node-lease", "gke-system", "gke-managed-system", "gmp-system",
          "calico-system", "tigera-operator", "openshift"}
MAKE_PODS = {"pods", "podtemplates", "deploymentconfigs", "rollouts", "deployments", "daemonsets", "statefulsets",
             "replicasets", "replicationcontrollers", "jobs", "cronjobs"}
# Of add-ons: groups, and the kinds of theirs that hold templates of pods.
OF_ADD_ONS = {
    None: "builds buildconfigs", "build.openshift.io": "builds buildconfigs",
    "apps.kruise.io": "statefulsets daemonsets clonesets sidecarsets broadcastjobs advancedcronjobs uniteddeployments imagepulljobs ephemeraljobs",
    "jobset.x-k8s.io": "jobsets", "leaderworkerset.x-k8s.io": "leaderworkersets",
    "argoproj.io": "workflows cronworkflows workflowtemplates clusterworkflowtemplates experiments analysistemplates "
                   "clusteranalysistemplates sensors eventsources",
    "serving.knative.dev": "services configurations revisions", "sources.knative.dev": "containersources",
    "kubevirt.io": "virtualmachines virtualmachineinstances virtualmachineinstancereplicasets",
    "pool.kubevirt.io": "virtualmachinepools", "tekton.dev": "tasks clustertasks taskruns pipelines pipelineruns",
    "triggers.tekton.dev": "triggertemplates eventlisteners",
    "kubeflow.org": "pytorchjobs tfjobs mpijobs xgboostjobs paddlejobs jaxjobs notebooks scheduledworkflows",
    "serving.kserve.io": "inferenceservices servingruntimes clusterservingruntimes",
    "machinelearning.seldon.io": "seldondeployments",
    "trainer.kubeflow.org": "trainjobs trainingruntimes clustertrainingruntimes",
    "ray.io": "rayclusters rayjobs rayservices", "sparkoperator.k8s.io": "sparkapplications scheduledsparkapplications",
    "keda.sh": "scaledjobs", "monitoring.coreos.com": "prometheuses prometheusagents alertmanagers thanosrulers",
    "opentelemetry.io": "opentelemetrycollectors",
    "actions.github.com": "autoscalingrunnersets ephemeralrunnersets ephemeralrunners",
    "actions.summerwind.dev": "runnerdeployments", "operators.coreos.com": "clusterserviceversions",
    "work.open-cluster-management.io": "manifestworks", "work.karmada.io": "works", "kubernetes.crossplane.io": "objects",
    "agones.dev": "fleets gameservers gameserversets", "flink.apache.org": "flinkdeployments flinksessionjobs",
    "shipwright.io": "builds buildruns buildstrategies clusterbuildstrategies",
    "workspace.devfile.io": "devworkspaces devworkspacetemplates", "elasticsearch.k8s.elastic.co": "elasticsearches",
    "batch.volcano.sh": "jobs",
}


# --- what a request says ----------------------------------------------------------

def user(row):
    return row["user_name"] or ""


def effective(row):
    return row["impersonated_user"] or user(row)


def annotation(row, name):
    return section(row["last"], "annotations").get(name)


def time(row):
    return datetime.strptime(row["event_time"], "%Y-%m-%dT%H:%M:%S.%fZ")


def is_change(row):
    """Whether something was stored or deleted: not by what was refused, a dry run, a review, or what connects."""
    beside = row["subresource"] in ("exec", "attach", "portforward", "proxy", "token", "log")
    return (row["verb"] in CHANGE_VERBS and row["outcome"] == "allowed" and not beside
            and not (row["resource"] or "").endswith("reviews") and not oracle.dry_run(row["last"]))


def makes_pods(row):
    return row["resource"] in MAKE_PODS or row["resource"] in OF_ADD_ONS.get(row["api_group"], "").split()


def starts_pods(row):
    """OpenShift's builds and deployments are started by what is asked of them."""
    return row["subresource"] in ("instantiate", "instantiatebinary", "clone", "rollback", "webhooks")


def runs_jobs(row):
    """Kinds whose pods end by themselves, at times or once: of Kubernetes and what add-ons have for them."""
    return row["resource"] in ("cronjobs", "jobs", "scaledjobs", "cronworkflows", "workflows", "scheduledworkflows", "advancedcronjobs",
                               "broadcastjobs", "jobsets", "scheduledsparkapplications")


def is_created(row):
    """By server-side apply too: a patch that is answered with 201."""
    return row["verb"] == "create" or (row["verb"] == "patch" and row["status_code"] == 201)


TOOLS = ("access_matrix rakkess trufflehog azurehound kubehound micro-scanner kubehunter kube-hunter peirates kubeletctl "
         "kubesploit kdigger redkube red-kube badpods bad-pods stratus-red-team kubescape kubebench kube-bench nuclei nmap "
         "sqlmap masscan gobuster ffuf nikto metasploit kali").split()
SCRIPTS = ("curl wget python perl php ruby java node deno bun axios undici okhttp apache-httpclient httpie libwww lua-resty "
           "powershell postmanruntime insomnia aiohttp got openapi-generator swagger-codegen kubernetes-client "
           "fabric8-kubernetes-client rest-client faraday guzzlehttp").split() + ["kubernetes java client"]


def client_kind(agent):
    agent = (agent or "").lower()
    if any(tool in agent for tool in TOOLS):
        return "tool"
    starts = any(agent.startswith(word) and not re.match(r"\w", agent[len(word):]) for word in SCRIPTS)
    is_shell = agent.startswith("mozilla/") and "powershell" in agent
    return "script" if starts or is_shell or agent.startswith("go-http-client") else None


def by_hand(row):
    """What a person wrote, or somebody in another's name with a tool of people."""
    name, groups, other = user(row), row["last"]["user"].get("groups") or [], row["impersonated_user"]
    reserved = name.startswith(("system:", "eks:")) and name != "system:admin" or name in (
        "aksService", "acsService", "nodeclient", "kube-apiserver", "kube-apiserver-kubelet-client")
    person = (name in ("", "system:anonymous") or "system:masters" in groups and name != "system:apiserver" or not reserved
              or other is not None and not other.startswith("system:"))
    return bool(person or re.match(r"(kubectl|oc|k9s|helm)\b", row["user_agent"] or "") or client_kind(row["user_agent"]))


CORE = {"secrets", "pods", "nodes", "services", "serviceaccounts", "configmaps", "namespaces", "events", "bindings",
        "resourcequotas"}


def is_kind(row, *resources, sub=None, group=None):
    at = row["api_group"] or ""
    return (row["resource"] in resources and (row["subresource"] or None) == sub
            and (at == group if group is not None else
                 row["resource"] not in CORE or at == "" or (row["resource"], at) == ("events", "events.k8s.io")))


def body(row, kind=dict):
    """The object as stored, else as sent."""
    for name in ("responseObject", "requestObject"):
        value = row["last"].get(name)
        if isinstance(value, kind) and value.get("kind") != "Status":
            return value
    return {}


def at(value, *path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def pod_spec(row):
    """The pod, or the template of one, that a write was about."""
    spec = at(body(row), "spec") or {}
    if row["resource"] == "cronjobs":
        spec = at(spec, "jobTemplate", "spec") or {}
    return spec if row["resource"] == "pods" else at(spec, "template", "spec") or {}


def containers(spec):
    return [one for key in ("containers", "initContainers", "ephemeralContainers")
            for one in (spec.get(key) or []) if isinstance(one, dict)]


# --- rows by a condition ----------------------------------------------------------

def is_eviction(row):
    return row["verb"] == "create" and is_kind(row, "pods", sub="eviction")


def is_exec(row):
    return row["resource"] == "pods" and not row["api_group"] and row["subresource"] in ("exec", "attach", "portforward") and row["verb"] in ("get", "create")


def is_in_a_pod(row):
    """A session, also one that a kubelet is asked for through the API server."""
    path = re.search(r"/nodes/[^/]+/proxy/(.*)", unquote((row["request_uri"] or "").split("?")[0]), re.S)
    first = posixpath.normpath("/" + path.group(1)).strip("/").split("/")[0] if path else ""
    asked = first.lower() in ("run", "exec", "attach", "portforward", "cri")
    return is_exec(row) or is_kind(row, "nodes", sub="proxy") and asked


def is_system(namespace):
    return namespace in SYSTEM or (namespace or "").startswith("openshift-")


def is_static_pod(row):
    """A mirror pod says so; and a kubelet may create no other."""
    mirror = "kubernetes.io/config.mirror" in (at(body(row), "metadata", "annotations") or {})
    return is_created(row) and is_kind(row, "pods") and (mirror or user(row).startswith("system:node:"))


def took_ms(row):
    stamp = row["last"].get("stageTimestamp")
    if not stamp:
        return -1
    end = datetime.strptime(oracle.rfc3339(stamp), "%Y-%m-%dT%H:%M:%S.%fZ")
    return (end - time(row)) // timedelta(milliseconds=1)


def is_stream(row):
    return row["verb"] == "watch" or row["subresource"] in ("exec", "attach", "portforward", "proxy", "log")


def holds_a_token(row):
    """A secret that is one, by its type or by the name of a token with which nodes join."""
    asked, stored = row["last"].get("requestObject"), row["last"].get("responseObject")
    kinds = [at(one, "type") for one in (stored, asked) if at(one, "kind") != "Status" and at(one, "type")]
    joins = row["namespace"] == "kube-system" and (row["name"] or "").startswith("bootstrap-token-")
    return row["verb"] in WRITES and is_kind(row, "secrets") and (
        joins or kinds[:1] in (["kubernetes.io/service-account-token"], ["bootstrap.kubernetes.io/token"]))


def is_secret(row):
    return is_kind(row, "secrets", group="")


def handed_out(row):
    """Whether the answer can hold values of secrets, as far as its body tells."""
    answer = row["last"].get("responseObject")
    kind = str(at(answer, "kind"))
    if row["outcome"] in ("denied", "failed") or kind == "Status" or kind.startswith("PartialObjectMetadata"):
        return False
    if kind == "Table" and row["outcome"] == "allowed":
        asked = parse_qs(urlsplit(row["request_uri"]).query).get("includeObject", [])
        return asked[:1] == ["Object"] or any(at(one, "object", "kind") == "Secret" for one in answer.get("rows") or [])
    return True


def is_long_lived(row):
    """A token for more than a day, or of a system namespace, that does not die with a pod."""
    asked, given = (at(row["last"].get(name), "spec") or {} for name in ("requestObject", "responseObject"))
    bound = at(given, "boundObjectRef", "kind") or at(asked, "boundObjectRef", "kind")
    seconds = at(given, "expirationSeconds") or at(asked, "expirationSeconds") or 0
    return (row["verb"] == "create" and is_kind(row, "serviceaccounts", sub="token") and bound != "Pod"
            and (is_system(row["namespace"]) or seconds > 86_400))


def has_no_end(row):
    """Neither its last stage nor a refusal, which a 401 has as its only one, is in the log."""
    return not {"ResponseComplete", "Panic"} & set(row["stages"]) and (row["status_code"] or 0) < 400


REFUSALS = r"denied the request|denied request|violates PodSecurity|(exceeded|failed) quota|m(in|ax)imum \S+ usage per "


def is_refused_by_admission(row):
    """Authorized, and refused all the same: not by a backend, and not by the authorizer of an aggregated API server."""
    message = section(row["last"], "responseStatus").get("message") or ""
    decision = annotation(row, "authorization.k8s.io/decision")
    if (row["status_code"] or 0) < 400 or decision == "forbid":
        return False
    if re.search(REFUSALS, message):
        return True
    reads = row["verb"] in READ_VERBS and row["subresource"] not in ("exec", "attach", "portforward")
    backend = row["subresource"] == "proxy" or reads or re.search(': User "[^"]*" cannot ', message)
    return row["status_code"] == 403 and decision == "allow" and not backend


def ends_a_deletion(row):
    """Nothing holds the object any longer: its last finalizer goes when it is to be deleted."""
    sent, stored = row["last"].get("requestObject"), row["last"].get("responseObject")
    if row["verb"] not in ("update", "patch") or not row["resource"]:
        return False
    left = stored or (sent if row["verb"] == "update" else None)
    if row["subresource"] == "finalize":
        return not at(left, "spec", "finalizers")
    if left is not None:
        told = at(left, "metadata") or {}
        return bool(told.get("deletionTimestamp") and not told.get("finalizers")
                    and not told.get("deletionGracePeriodSeconds"))
    if isinstance(sent, list):
        return any(str(at(one, "path")).startswith("/metadata/finalizers") and one.get("op") in ("remove", "replace")
                   for one in sent)
    told = at(sent, "metadata") or {}
    return "finalizers" in told and not told["finalizers"] or "$deleteFromPrimitiveList/finalizers" in told


STEER = ("coredns", "kube-dns", "node-local-dns", "kube-proxy", "aws-auth", "argocd-", "amazon-vpc-cni", "kubeadm-config",
         "kubelet-config", "cilium-config", "calico-config", "aks-")


def is_critical_configmap(row):
    name = row["name"] or ""
    parts = ("coredns", "audit-policy", "auditpolicy", "audit-config", "oauth-", "authentication-config")
    everything = row["verb"] == "deletecollection" and (is_system(row["namespace"]) or row["namespace"] in ("argocd", "kyverno"))
    return is_kind(row, "configmaps") and row["verb"] in CHANGE_VERBS and (
        everything or name.startswith(STEER) or name.endswith("-kyverno") or name in ("cluster-info", "extension-apiserver-authentication", "kyverno")
        or re.search("(^|-)(ingress-nginx|nginx-ingress)-controller$", name) or name == "kube-root-ca.crt"
        or name in ("nginx-configuration", "nginx-config", "nginx-load-balancer-microk8s-conf") and "ingress" in (row["namespace"] or "")
        or row["namespace"] == "istio-system" and re.match("istio(-sidecar-injector)?(-|$)", name)
        or any(part in name for part in parts) or re.search("(^|-)(nodelocaldns|ip-masq-agent)", name))


def allows_nothing(row):
    """Whether a quota says 0 of something, in the object or in an operation of a JSON Patch."""
    sent = row["last"].get("requestObject")
    hard = at(sent, "spec", "hard") or {}
    for one in sent if isinstance(sent, list) else []:
        path = str(at(one, "path"))
        if path == "/spec/hard" and isinstance(at(one, "value"), dict):
            hard = {**hard, **one["value"]}
        elif path.startswith("/spec/hard/"):
            hard = {**hard, path: at(one, "value")}
    return any(re.fullmatch("0+[A-Za-z]*", str(value)) for value in hard.values())


def sets(row, name):
    """What a body, or the operations of a JSON Patch, put into a member of `spec`."""
    sent = row["last"].get("requestObject")
    found = [at(sent, "spec", name)]
    for one in sent if isinstance(sent, list) else []:
        if at(one, "op") in ("add", "replace"):
            found += [at(one, "value")] if at(one, "path") == "/spec/" + name else []
            found += [at(one, "value", name)] if at(one, "path") == "/spec" else []
    return [value for value in found if value is not None]


def is_scale_to_nothing(row):
    """A whole Scale without replicas: Go leaves a zero out."""
    sent = row["last"].get("requestObject")
    return row["verb"] == "update" and at(sent, "kind") == "Scale" and at(sent, "spec", "replicas") is None


def stops(row):
    """Whether a write leaves no pods of a workload."""
    if not (makes_pods(row) and row["subresource"] in (None, "", "scale") and row["verb"] in ("update", "patch")):
        return False
    if is_scale_to_nothing(row):
        return True
    return any(v == 0 and v is not False for v in sets(row, "replicas") + sets(row, "parallelism")) or True in sets(row, "suspend")


def limits(row):
    return sets(row, "maxReplicas") or row["last"].get("requestObject") is None


def is_of_placement(row):
    """Pods that are put somewhere or thrown out, and who is served first."""
    placed = is_kind(row, "pods", sub="binding") or is_kind(row, "pods", sub="eviction") or is_kind(row, "bindings")
    first = is_kind(row, "priorityclasses", "flowschemas", "prioritylevelconfigurations")
    lease = row["resource"] == "leases" and (
        row["verb"] in DELETES or by_hand(row) and not (row["user_agent"] or "").endswith("/leader-election"))
    named = is_kind(row, "pods") and isinstance(at(row["last"].get("requestObject"), "spec", "nodeName"), str)
    return ((placed or named) and row["verb"] == "create" or (first or lease) and row["verb"] in CHANGE_VERBS
            or is_kind(row, "resourcequotas") and row["verb"] in WRITES and allows_nothing(row))


def is_stopped(row):
    """A workload that somebody leaves without pods, or an autoscaler that is limited or taken away."""
    return stops(row) or is_kind(row, "horizontalpodautoscalers") and (
        row["verb"] in DELETES or row["verb"] in ("update", "patch") and limits(row))


def is_of_the_inside(row):
    """A path of the API server itself, as it reads it; what scrapes metrics in its own name and client is left out."""
    path = posixpath.normpath(unquote((row["request_uri"] or "").split("?")[0]))
    inside = re.match("/+(logs|debug|metrics|configz|flagz|statusz)(/|$)", path)
    by_hand = re.match("(?i)(kubectl|oc|k9s|mozilla|helm|curl|wget|python|go-http-client)", row["user_agent"] or "")
    scrapes = path == "/metrics" and user(row).startswith("system:serviceaccount:") and not row["impersonated_user"]
    return row["resource"] is None and inside and not (scrapes and not by_hand)


ROWS = {
    "workloads-stopped": (OWN, is_stopped),
    "server-internals": ([], is_of_the_inside),
    # name: (arguments, condition)
    "secret": ([], lambda r: is_secret(r) and (r["name"] or r["verb"] in ("list", "watch", "deletecollection"))),
    "object": ([], lambda r: r["name"] is not None or r["verb"] == "deletecollection" or r["verb"] == "create" and r["outcome"] == "allowed"
               and at(r["last"].get("responseObject"), "metadata", "name")),
    "timeline": ([], lambda r: True),
    "failed-auth-events": ([], lambda r: r["failure"]),
    "events-deleted": (OWN, lambda r: is_kind(r, "events", sub=r["subresource"]) and r["verb"] in DELETES),
    "impersonation": ([], lambda r: r["impersonated_user"] or r["failure"] == "impersonation"),
    "exec-sessions": ([], is_in_a_pod),
    "exec-denied": ([], lambda r: is_in_a_pod(r) and r["outcome"] == "denied"),
    "port-forwards": ([], lambda r: is_exec(r) and r["subresource"] == "portforward"),
    "ephemeral-containers": ([], lambda r: is_kind(r, "pods", sub="ephemeralcontainers") and r["verb"] in WRITES),
    "node-joins": ([], lambda r: is_created(r) and is_kind(r, "nodes")),
    "node-proxy": ([], lambda r: is_kind(r, "nodes", sub="proxy")),
    "pod-logs-read": ([], lambda r: is_kind(r, "pods", sub="log")),
    "csr-activity": ([], lambda r: r["resource"] == "certificatesigningrequests" and r["api_group"] in (None, "certificates.k8s.io") and r["verb"] in CHANGE_VERBS),
    "webhook-changes": ([], lambda r: r["api_group"] == "admissionregistration.k8s.io" and r["verb"] in CHANGE_VERBS),
    "token-requests": ([], lambda r: r["verb"] == "create" and is_kind(r, "serviceaccounts", sub="token")),
    "service-accounts-changed": ([], lambda r: is_kind(r, "serviceaccounts") and r["verb"] in CHANGE_VERBS),
    "rbac-by-service-accounts": (OWN, lambda r: is_rbac(r) and r["verb"] in CHANGE_VERBS
                                 and effective(r).startswith("system:serviceaccount:")),
    "cron-jobs": (OWN, lambda r: runs_jobs(r) and r["verb"] in CHANGE_VERBS
                  and r["subresource"] not in ("status", "finalizers")),
    "static-pods": ([], is_static_pod),
    "proxied-requests": (OWN, lambda r: is_kind(r, "pods", "services", sub="proxy")
                         or r["api_group"] == "subresources.kubevirt.io" and r["subresource"] in ("console", "vnc", "portforward")),
    "permission-checks": (OWN, lambda r: r["verb"] == "create" and (
        r["resource"] in ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")
        or r["resource"] in ("subjectaccessreviews", "localsubjectaccessreviews", "tokenreviews")
        and user(r).startswith("system:serviceaccount:"))),
    "secret-writes": ([], lambda r: is_secret(r) and r["verb"] in CHANGE_VERBS),
    "throttled": ([], lambda r: r["status_code"] == 429),
    "anonymous-access": ([], lambda r: user(r) == "system:anonymous"
                         or "system:unauthenticated" in (r["last"]["user"].get("groups") or [])),
    "slowest": ([], lambda r: took_ms(r) >= 500 and not is_stream(r)),
    "namespace-changes": ([], lambda r: r["resource"] == "namespaces" and not r["api_group"] and r["verb"] in CHANGE_VERBS
                          and r["subresource"] not in ("status",)),
    "secrets-listed": (OWN, lambda r: is_secret(r) and r["verb"] in ("list", "watch", "deletecollection") and not r["name"]
                       and (not r["namespace"] or is_system(r["namespace"]) or r["namespace"] == "default")),
    "long-lived-tokens": (OWN, is_long_lived),
    "secret-values": ([], lambda r: is_kind(r, "secrets") and r["verb"] in READ_VERBS | CHANGE_VERBS and handed_out(r)),
    "incomplete-requests": ([], has_no_end),
    "admission-denials": ([], is_refused_by_admission),
    "token-secrets-created": (OWN, holds_a_token),
    "deletions": ([], lambda r: (r["verb"] in DELETES and r["resource"]) or is_eviction(r) or ends_a_deletion(r)),
    "pod-security-violations": ([], lambda r: annotation(r, "pod-security.kubernetes.io/audit-violations")
                                or annotation(r, "pod-security.kubernetes.io/error")
                                or "violates PodSecurity" in (section(r["last"], "responseStatus").get("message") or "")),
    "workload-changes": (OWN, lambda r: makes_pods(r) and r["verb"] in CHANGE_VERBS
                         and (starts_pods(r) or r["subresource"] in (None, "ephemeralcontainers", "resize", "scale", "eviction"))),
    "critical-configmaps": (OWN, is_critical_configmap),
    "system-namespace-changes": (OWN, lambda r: r["verb"] in CHANGE_VERBS and is_system(r["namespace"])
                                 and r["subresource"] not in ("exec", "attach", "portforward", "proxy")
                                 and not (r["resource"] in ("leases", "events") and r["verb"] in WRITES)),
    "system-roles-changed": (OWN, lambda r: is_rbac(r) and r["verb"] == "deletecollection" or is_rbac(r) and r["verb"] in CHANGE_VERBS
                             and r["name"] and r["name"] not in ("system:coredns", "system:managed-certificate-controller")
                             and (re.match("(system|eks|kubeadm|gce|aks):", r["name"])
                                  or r["name"] in ("cluster-admin", "admin", "edit", "view"))),
}
