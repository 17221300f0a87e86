import { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAuthTables1700000000001 implements MigrationInterface {
  name = 'CreateAuthTables1700000000001';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TYPE user_role AS ENUM ('ADMIN', 'MANAGER', 'OPERATOR')
    `);
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email varchar(255) NOT NULL CONSTRAINT uq_users_email UNIQUE,
        password_hash text NOT NULL,
        full_name text,
        role user_role NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        last_login_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE societes (
        id uuid PRIMARY KEY,
        nom varchar(200) NOT NULL,
        code varchar(50) NOT NULL CONSTRAINT uq_societes_code UNIQUE,
        database_name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE sites (
        id serial PRIMARY KEY,
        societe_id uuid NOT NULL CONSTRAINT fk_sites_societe REFERENCES societes (id),
        nom text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE societe_users (
        user_id uuid NOT NULL CONSTRAINT fk_societe_users_user REFERENCES users (id),
        societe_id uuid NOT NULL CONSTRAINT fk_societe_users_societe REFERENCES societes (id),
        role user_role NOT NULL,
        is_default boolean NOT NULL DEFAULT false,
        permissions text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        PRIMARY KEY (user_id, societe_id)
      )
    `);
    await queryRunner.query(`
      CREATE TABLE user_preferences (
        id serial PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_user_preferences_user REFERENCES users (id) ON DELETE CASCADE,
        name text NOT NULL,
        value jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        CONSTRAINT uq_user_preferences UNIQUE (user_id, name)
      )
    `);
    await queryRunner.query(`
      CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$
    `);
    await queryRunner.query(`
      CREATE TRIGGER users_touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()
    `);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE user_preferences, societe_users, sites, societes, users`);
    await queryRunner.query(`DROP FUNCTION touch()`);
    await queryRunner.query(`DROP TYPE user_role`);
  }
}
