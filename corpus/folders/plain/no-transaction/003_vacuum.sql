-- Apart
-- no-transaction
VACUUM users;
