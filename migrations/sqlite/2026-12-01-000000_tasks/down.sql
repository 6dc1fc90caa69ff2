DROP TABLE task_output;
DROP TABLE task;
