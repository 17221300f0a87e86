import { MigrationInterface, QueryRunner } from "typeorm";
import { seeds } from "./seeds";

export class Loop1700000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner) {
    await queryRunner.query("SELECT 1");
    for (const seed of seeds) {
      await queryRunner.query("INSERT INTO a VALUES ($1)", [seed]);
    }
  }
  async down() {}
}

export class NoTime implements MigrationInterface {
  async up() {}
}
