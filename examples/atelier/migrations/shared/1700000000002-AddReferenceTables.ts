import { MigrationInterface, QueryRunner } from 'typeorm';

export class AddReferenceTables1700000000002 implements MigrationInterface {
  name = 'AddReferenceTables1700000000002';

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE countries (
        code char(2) PRIMARY KEY,
        name varchar(80) NOT NULL
      )
    `);
    await queryRunner.query(`
      CREATE TABLE currencies (
        code char(3) PRIMARY KEY,
        label text NOT NULL,
        decimals smallint NOT NULL
      )
    `);
    await queryRunner.query(`
      CREATE TABLE units (
        id serial PRIMARY KEY,
        code varchar(10) NOT NULL CONSTRAINT uq_units_code UNIQUE,
        factor numeric(18, 6) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE tax_rates (
        id serial PRIMARY KEY,
        country_code char(2) NOT NULL CONSTRAINT fk_tax_rates_country REFERENCES countries (code),
        rate numeric(5, 2) NOT NULL,
        valid_from date NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE payment_terms (
        id serial PRIMARY KEY,
        label varchar(60) NOT NULL,
        days smallint NOT NULL CHECK (days >= 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE surface_treatments (
        id serial PRIMARY KEY,
        code varchar(20) NOT NULL CONSTRAINT uq_surface_treatments_code UNIQUE,
        label text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
    await queryRunner.query(`
      CREATE TABLE tool_types (
        id serial PRIMARY KEY,
        process_id integer CONSTRAINT fk_tool_types_process REFERENCES processes (id),
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )
    `);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE tool_types`);
    await queryRunner.query(`DROP TABLE surface_treatments`);
    await queryRunner.query(`DROP TABLE payment_terms`);
    await queryRunner.query(`DROP TABLE tax_rates`);
    await queryRunner.query(`DROP TABLE units`);
    await queryRunner.query(`DROP TABLE currencies`);
    await queryRunner.query(`DROP TABLE countries`);
  }
}
