-- What is asked of an object beside writing it, by which it makes pods: OpenShift starts builds and deployments so.
CREATE MACRO starts_pods(subresource) AS coalesce(
    subresource IN ('instantiate', 'instantiatebinary', 'clone', 'rollback', 'webhooks'), false
);
