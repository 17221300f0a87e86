import { MigrationInterface, QueryRunner } from 'typeorm';

export class AddAccessTables1700000000002 implements MigrationInterface {
  name = 'AddAccessTables1700000000002';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE roles (
        id serial PRIMARY KEY,
        code varchar(40) NOT NULL CONSTRAINT uq_roles_code UNIQUE,
        label text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE permissions (
        id serial PRIMARY KEY,
        code varchar(60) NOT NULL CONSTRAINT uq_permissions_code UNIQUE,
        module text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE role_permissions (
        role_id integer NOT NULL CONSTRAINT fk_role_permissions_role REFERENCES roles (id),
        permission_id integer NOT NULL CONSTRAINT fk_role_permissions_permission REFERENCES permissions (id),
        PRIMARY KEY (role_id, permission_id)
      )
    `);
    await queryRunner.query(`
      CREATE TABLE user_groups (
        id uuid PRIMARY KEY,
        name varchar(80) NOT NULL CONSTRAINT uq_user_groups_name UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE user_group_members (
        group_id uuid NOT NULL CONSTRAINT fk_user_group_members_group REFERENCES user_groups (id),
        user_id uuid NOT NULL CONSTRAINT fk_user_group_members_user REFERENCES users (id) ON DELETE CASCADE,
        since date,
        PRIMARY KEY (group_id, user_id)
      )
    `);
    await queryRunner.query(`
      CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT fk_api_keys_user REFERENCES users (id) ON DELETE CASCADE,
        prefix char(8) NOT NULL,
        hash bytea NOT NULL,
        expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE api_keys`);
    await queryRunner.query(`DROP TABLE user_group_members`);
    await queryRunner.query(`DROP TABLE user_groups`);
    await queryRunner.query(`DROP TABLE role_permissions`);
    await queryRunner.query(`DROP TABLE permissions`);
    await queryRunner.query(`DROP TABLE roles`);
  }
}
