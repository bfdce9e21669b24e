-- What is asked of an object beside writing it, by which it makes pods: OpenShift starts builds and deployments so.
CREATE MACRO starts_pods(subresource) AS coalesce(
    subresource IN ('instantiate', 'instantiatebinary', 'clone', 'rollback', 'webhooks'), false
);

-- How a write leaves no pods of what makes them; NULL when it does not. Go leaves a zero out of a Scale (`omitempty` of
-- autoscaling/v1), so that one without replicas that is put in its place asks for none.
CREATE MACRO stops_pods(verb, parts) AS CASE
    WHEN verb = 'update' AND list_contains(json_texts(json_members(parts, 'kind')), 'Scale')
        AND len(json_members(json_members(parts, 'spec'), 'replicas')) = 0 THEN 'scaled to nothing'
    WHEN len(list_filter(
        json_members(json_members(parts, 'spec'), 'replicas') || json_members(json_members(parts, 'spec'), 'parallelism'),
        lambda pods: pods::VARCHAR = '0'
    )) > 0 THEN 'scaled to nothing'
    WHEN len(list_filter(
        json_members(json_members(parts, 'spec'), 'suspend'), lambda suspended: suspended::VARCHAR = 'true'
    )) > 0 THEN 'suspended'
END;
