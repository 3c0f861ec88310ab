<?php
// STAND-IN for Joomla: whether the tables are as the files of this version want them. Exit code 0, whatever it finds.
namespace Joomla\CMS\Console;

use Joomla\Standin\Site;
use Joomla\Standin\Style;

final class MaintenanceDatabaseCommand {
	public static function run( $arguments ) {
		Style::title( 'Maintenance Database' );
		$fix   = in_array( '--fix', $arguments, true );
		$files = array_map( static fn( $file ) => basename( $file, '.sql' ), glob( JPATH_ADMINISTRATOR . '/components/com_admin/sql/updates/mysql/*.sql' ) );
		usort( $files, 'version_compare' );
		$core   = Site::rows( "SELECT * FROM #__extensions WHERE type = 'file' AND element = 'joomla'" )[0];
		$id     = (int) $core['extension_id'];
		$noted  = json_decode( $core['manifest_cache'], true )['version'];
		$schema = Site::rows( "SELECT version_id FROM #__schemas WHERE extension_id = $id" )[0]['version_id'] ?? '';
		$newest = end( $files );
		$found  = [];
		if ( $schema !== $newest ) {
			$found[] = "Database version ($schema) does not match manifest version ($newest).";
		}
		foreach ( $files as $file ) {
			foreach ( self::wanted( $file ) as [ $table, $column ] ) {
				if ( ! Site::rows( "SHOW COLUMNS FROM $table LIKE '$column'" ) ) {
					$found[] = "Table '" . Site::prefixed( $table ) . "' does not have column '$column'. (From file $file.sql.)";
				}
			}
		}
		$problems = $found ?: [ '8 database changes were checked.', '51 database changes did not alter table structure and were skipped.' ];
		echo "\n";
		Style::table( [ 'ID', 'Name', 'Database Version', 'Manifest Version', 'Problems' ], array_map( null, [ $id ], [ 'Joomla CMS' ], [ $schema ], [ $noted ], [ implode( "\n", $problems ) ] ) );
		if ( $found && ! $fix ) {
			Style::block( 'WARNING', 'There are tables not up to date!' );
			return 0;
		}
		if ( $found ) {
			Site::migrate();
		}
		Style::block( 'INFO', 'All database table structures are up to date.' );
		return 0;
	}

	/** The columns that a change adds. */
	private static function wanted( $file ) {
		preg_match_all( '/ALTER TABLE `(\S+)` ADD COLUMN `(\S+)`/', file_get_contents( JPATH_ADMINISTRATOR . "/components/com_admin/sql/updates/mysql/$file.sql" ), $all, PREG_SET_ORDER );
		return array_map( static fn( $one ) => [ $one[1], $one[2] ], $all );
	}
}
