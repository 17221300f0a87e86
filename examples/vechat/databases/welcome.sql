-- What every new organisation begins with.
INSERT INTO vechat_conversations (title, organisation_id) VALUES ('Welcome, ' || :'title', :organisation_id);
