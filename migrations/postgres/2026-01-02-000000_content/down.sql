DROP TABLE content;
