'use strict';

// Soft deletes: a paranoid model stamps deletedAt instead of removing the row.
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('users', 'deletedAt', { type: Sequelize.DATE, allowNull: true });
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('users', 'deletedAt');
  },
};
