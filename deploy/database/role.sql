-- The database's image runs this once, when it creates the cluster. The service's role owns its database and
-- nothing else: a role that is no superuser can neither read files nor run programs on the database's machine.
\set password `cat /secrets/password`
CREATE ROLE referral LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE referral OWNER referral;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE CONNECT ON DATABASE referral FROM PUBLIC;
