//! Names of members in bodies as the API server writes them, where a collector wrote all names in another way: `role_ref`,
//! `roleref`, `RoleRef`.
//!
//! Names are told by their letters from a list of those of the API; what has more than one word and is not in it is put
//! together by the server's own rule. Names that people choose (labels, annotations, keys of data) are left alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::json::{self, Rewrite};

/// Nesting of a body that is looked into.
const MAX_DEPTH: usize = 64;

/// Names of the API's types with more than one word: of roles and bindings, of pods and what makes them, of services, of
/// admission, of certificates and tokens, of patches and answers.
const NAMES: &str = "aggregationRule allowPrivilegeEscalation allowVolumeExpansion allowedTopologies apiGroup apiGroups apiVersion \
    apiVersions appArmorProfile argsEscaped attachRequired automountServiceAccountToken awsElasticBlockStore azureDisk azureFile \
    backoffLimit binaryData blockOwnerDeletion boundObjectRef caBundle cephfs claimName clientConfig clusterIP clusterIPs \
    clusterRoleSelectors completionMode concurrencyPolicy configMap configMapKeyRef configMapRef containerID containerPort \
    containerStatuses creationTimestamp csiDriver daemonEndpoints defaultMode deletionGracePeriodSeconds deletionTimestamp \
    dnsConfig dnsPolicy downwardAPI dryRun emptyDir enableServiceLinks endpointSlice envFrom ephemeralContainers evictionMode \
    expirationSeconds expirationTimestamp externalIPs externalName externalTrafficPolicy failedJobsHistoryLimit failurePolicy \
    fieldManager fieldPath fieldRef fieldsType fieldsV1 flexVolume forceConflicts fsGroup fsType gcePersistentDisk generateName \
    gitRepo gracePeriodSeconds groupPriorityMinimum healthCheckNodePort hostAliases hostIP hostIPC hostIPs hostNetwork hostPID \
    hostPath hostPort hostUsers hostname httpGet httpHeaders imagePullPolicy imagePullSecrets imageID immutable ingressClassName \
    initContainers insecureSkipTLSVerify ipFamilies ipFamilyPolicy jobTemplate kubeProxyVersion labelSelector lastAppliedConfiguration \
    lastTransitionTime lifecycle livenessProbe loadBalancerClass loadBalancerIP loadBalancerSourceRanges localObjectReference \
    managedFields matchConditions matchConstraints matchExpressions matchLabels matchPolicy matchResources maxSurge maxUnavailable \
    mountOptions mountPath mountPropagation namespaceSelector nodeAffinity nodeName nodePort nodeSelector nodeSelectorTerms \
    nonResourceAttributes nonResourceURLs objectSelector observedGeneration operationType optionalOldSelf ownerReferences paramKind \
    paramRef pathType persistentVolumeClaim persistentVolumeReclaimPolicy podAffinity podAntiAffinity podCIDR podCIDRs podIP podIPs \
    podManagementPolicy podSelector policyName policyTypes portworxVolume preemptionPolicy priorityClassName procMount progressDeadlineSeconds \
    propagationPolicy providerID publishNotReadyAddresses readOnly readOnlyRootFilesystem readinessGates readinessProbe reinvocationPolicy \
    remainingItemCount resourceAttributes resourceClaims resourceNames resourceRules resourceVersion restartPolicy revisionHistoryLimit \
    roleRef runAsGroup runAsNonRoot runAsUser runtimeClassName runtimeHandler scaleIO scaleTargetRef schedulerName seLinuxOptions \
    seccompProfile secretKeyRef secretName secretRef securityContext selfLink serviceAccount serviceAccountName serviceAccountToken \
    servicePort sessionAffinity setHostnameAsFQDN shareProcessNamespace sideEffects signerName startupProbe statusCode stdinOnce \
    storageClassName storageVersion stringData subPath subPathExpr successfulJobsHistoryLimit supplementalGroups targetContainerName \
    targetNamespace targetPort targetRef tcpSocket templateGeneration terminationGracePeriodSeconds terminationMessagePath \
    terminationMessagePolicy timeZone timeoutSeconds tolerationSeconds topologyKey topologySpreadConstraints ttlSecondsAfterFinished \
    updateStrategy userInfo validationActions valueFrom versionPriority volumeClaimTemplates volumeDevices volumeHandle volumeMode \
    volumeMounts volumeName windowsOptions workingDir";

/// Members below which names are free.
const FREE: [&str; 18] = [
    "allocatable",
    "annotations",
    "binaryData",
    "capacity",
    "claims",
    "data",
    "extra",
    "fieldsV1",
    "hard",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "options",
    "overhead",
    "parameters",
    "requests",
    "stringData",
];

/// Parts of names that the API writes in capitals, when they are not the first.
const CAPITALS: [&str; 13] =
    ["api", "cidr", "cidrs", "dns", "fqdn", "id", "ip", "ipc", "ips", "pid", "tls", "urls", "uuid"];

static BY_LETTERS: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| NAMES.split_whitespace().map(|name| (name.to_ascii_lowercase(), name)).collect());

/// Whether an object is written in other words than the server's: its `apiVersion` has another name.
pub(crate) fn are_others(object: &str) -> bool {
    let mut others = false;
    let _ = json::members(object, &mut |key, _| others |= key != "apiVersion" && letters(&key) == "apiversion");
    others
}

/// A body in the words of the server; `None` when it is in them.
pub(crate) fn of_the_server(body: &str) -> Option<String> {
    json::rewritten(body, MAX_DEPTH, Words { are_free: false })
}

/// Names of an object, which people choose or the API.
#[derive(Clone, Copy)]
struct Words {
    are_free: bool,
}

impl Rewrite for Words {
    fn key(self, key: &str) -> Option<String> {
        (!self.are_free).then(|| word(key)).filter(|word| word != key)
    }

    /// The names right below are free, not those in a list below: `requests` of a claim.
    fn behind(self, key: &str, value: &str) -> Self {
        Self { are_free: !self.are_free && value.starts_with('{') && FREE.contains(&key) }
    }

    fn item(self) -> Self {
        Self { are_free: false }
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A name as the server writes it.
fn word(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_plain) {
        return name.to_owned();
    }
    if let Some(known) = BY_LETTERS.get(&letters(name)) {
        return (*known).to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for (number, part) in name.split('_').filter(|part| !part.is_empty()).enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            // `Spec` of what writes all names with a capital.
            Some(first) if number == 0 => out.extend([first.to_ascii_lowercase()]),
            Some(_) if CAPITALS.contains(&part) => {
                out.push_str(&part.to_ascii_uppercase().replace("IPS", "IPs").replace("URLS", "URLs"));
                continue;
            }
            Some(first) => out.push(first.to_ascii_uppercase()),
            None => (),
        }
        out.push_str(letters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_by_their_letters_and_free_ones_left_alone() {
        let server = r#"{"apiVersion":"v1","metadata":{"labels":{"my_app":"x_y"}},"roleRef":{"apiGroup":"g"},"spec":{"hostPID":true,"containers":[{"securityContext":{"runAsUser":0},"volumeMounts":[{"mountPath":"/host_path"}]}],"someNewIPs":[]},"data":{"my_key":"v"},"nonResourceURLs":["/a_b"]}"#;
        for other in [
            r#"{"api_version":"v1","metadata":{"labels":{"my_app":"x_y"}},"role_ref":{"api_group":"g"},"spec":{"host_pid":true,"containers":[{"security_context":{"run_as_user":0},"volume_mounts":[{"mount_path":"/host_path"}]}],"some_new_ips":[]},"data":{"my_key":"v"},"non_resource_urls":["/a_b"]}"#,
            r#"{"ApiVersion":"v1","Metadata":{"Labels":{"my_app":"x_y"}},"RoleRef":{"ApiGroup":"g"},"Spec":{"HostPID":true,"Containers":[{"SecurityContext":{"RunAsUser":0},"VolumeMounts":[{"MountPath":"/host_path"}]}],"SomeNewIPs":[]},"Data":{"my_key":"v"},"NonResourceURLs":["/a_b"]}"#,
        ] {
            assert!(are_others(other));
            assert_eq!(of_the_server(other).as_deref(), Some(server));
        }
        assert!(!are_others(server));
        let lower = r#"{"apiversion":"v1","spec":{"hostpid":true,"host_p_i_d":true},"roleref":{}}"#;
        assert_eq!(
            of_the_server(lower).as_deref(),
            Some(r#"{"apiVersion":"v1","spec":{"hostPID":true,"hostPID":true},"roleRef":{}}"#)
        );
        assert_eq!((of_the_server(server), of_the_server("[{\"op\":1}]"), of_the_server("{")), (None, None, None));
        assert_eq!((word("a-b_c"), word("x.y/z_a")), ("a-b_c".to_owned(), "x.y/z_a".to_owned()));
    }
}
