import { MigrationInterface, QueryRunner } from "typeorm";

const table = "users";

export class First1700000000000 implements MigrationInterface {
  name = "First1700000000000";

  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE "users" ("id" uuid NOT NULL DEFAULT uuid_generate_v4())`);
    await queryRunner.query('ALTER TABLE users ADD a text');
    await queryRunner.query("INSERT INTO users (a) VALUES ('it\'s')");
    await queryRunner.query(`SELECT 1 FROM ${table}` + " WHERE true");
    await queryRunner.query("INSERT INTO users (a) VALUES ($1), ($2)", ["x'y", null]);
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE "users"`);
  }
}
