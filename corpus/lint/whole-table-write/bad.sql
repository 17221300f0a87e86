UPDATE users SET state = 'new';
DELETE FROM users;
TRUNCATE users;
