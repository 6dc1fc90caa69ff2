-- Distributes the tables of Carnet over the workers of a Citus cluster. Run once, after `carnet migrate`, as the owner of the tables, on a
-- coordinator. Every table of the dossier group is distributed by its dossier (`part`) and rests beside the others of that dossier.

SELECT create_distributed_table('instance', 'part', colocate_with => 'none');
SELECT create_distributed_table('version', 'part', colocate_with => 'instance');
SELECT create_distributed_table('date_value', 'part', colocate_with => 'instance');
SELECT create_distributed_table('string_value', 'part', colocate_with => 'instance');
SELECT create_distributed_table('quantity_value', 'part', colocate_with => 'instance');
SELECT create_distributed_table('content', 'part', colocate_with => 'instance');
SELECT create_distributed_table('audit', 'part', colocate_with => 'instance');
SELECT create_distributed_table('audit_head', 'part', colocate_with => 'instance');

-- Found by a key of its own: the hash of a logical id.
SELECT create_distributed_table('alias', 'name', colocate_with => 'none');

-- Small, and the same everywhere.
SELECT create_reference_table('setting');
SELECT create_reference_table('parameter');
SELECT create_reference_table('job');
SELECT create_reference_table('premise');
SELECT create_reference_table('task');
SELECT create_reference_table('task_output');
