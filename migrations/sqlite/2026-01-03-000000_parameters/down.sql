DROP TABLE job;
DROP TABLE parameter;
