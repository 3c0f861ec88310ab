#!/usr/bin/env php
<?php
/**
 * STAND-IN for Drush 12: the commands that Intendant uses, with the words of the real one. It lies where that lies: `updatedb -y`
 * goes on although requirements are not met, `updatedb:status` prints nothing when nothing is pending.
 */

error_reporting( E_ALL );
ini_set( 'display_errors', 'stderr' );
$words   = array();
$options = array();
foreach ( array_slice( $_SERVER['argv'], 1 ) as $word ) {
	if ( preg_match( '/^--?([^=]+)(?:=(.*))?$/s', $word, $part ) ) {
		$options[ $part[1] ] = $part[2] ?? true;
	} else {
		$words[] = $word;
	}
}
if ( isset( $options['version'] ) ) {
	echo "Drush Commandline Tool 12.5.2.0\n";
	exit( 0 );
}
$project = dirname( __DIR__, 3 );
$web     = is_dir( "$project/web/core" ) ? "$project/web" : "$project/docroot";
chdir( $web );

function say( string $level, string $text ): void {
	fwrite( STDERR, " [$level] $text\n" );
}
function rows( array $rows, array $options, array $fields ): void {
	if ( isset( $options['field'] ) ) {
		echo ( $rows[ $options['field'] ] ?? '' ) . "\n";
		return;
	}
	if ( isset( $options['fields'] ) ) {
		$fields = explode( ',', $options['fields'] );
	}
	if ( 'json' === ( $options['format'] ?? 'table' ) ) {
		echo json_encode( $rows, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES ) . "\n";
	} else {
		print_r( $rows );
	}
}
function table_of( array $pending ): string {
	$text = " -------- ----------- --------------- ------------------------------------- \n  Module   Update ID   Type            Description                          \n -------- ----------- --------------- ------------------------------------- \n";
	foreach ( $pending as $one ) {
		$text .= sprintf( "  %-8s %-11s %-15s %-37s\n", $one['module'], $one['update_id'], $one['type'], $one['description'] );
	}
	return $text . " -------- ----------- --------------- ------------------------------------- \n";
}

try {
	require "$web/core/lib/Drupal.php";
	$kernel  = TestbedKernel::get();
	$command = $words[0] ?? 'help';
	// These make a container of their own.
	if ( ! in_array( $command, array( 'updatedb', 'updb', 'updatedb:status', 'updbst', 'cache:rebuild', 'cr' ), true ) ) {
		$kernel->container();
	}
	$kernel->load();
	switch ( $command ) {
		case 'status':
		case 'core:status':
			$all = array( 'drupal-version' => \Drupal::VERSION, 'db-status' => 'Connected', 'bootstrap' => 'Successful', 'php-version' => PHP_VERSION, 'drush-version' => '12.5.2.0', 'root' => $web, 'site' => 'sites/default' );
			if ( isset( $options['fields'] ) ) {
				$all = array_replace( array(), array_intersect_key( $all, array_flip( explode( ',', $options['fields'] ) ) ) );
			}
			rows( $all, $options, array_keys( $all ) );
			break;
		case 'pm:list':
			$enabled = $kernel->config( 'core.extension' );
			$out     = array();
			foreach ( TestbedKernel::extensions() as $name => $one ) {
				$on = isset( $enabled['module'][ $name ] ) || isset( $enabled['theme'][ $name ] );
				if ( isset( $options['no-core'] ) && 0 === strpos( $one['path'], 'core/' ) || 'enabled' === ( $options['status'] ?? '' ) && ! $on ) {
					continue;
				}
				$row          = array( 'package' => $one['info']['package'] ?? 'Other', 'project' => $one['info']['project'] ?? '', 'display_name' => "{$one['info']['name']} ($name)", 'name' => $name, 'type' => $one['type'], 'path' => $one['path'], 'status' => $on ? 'Enabled' : 'Disabled', 'version' => $one['info']['version'] );
				$out[ $name ] = isset( $options['fields'] ) ? array_intersect_key( $row, array_flip( explode( ',', $options['fields'] ) ) ) : $row;
			}
			rows( $out, $options, array() );
			break;
		case 'updatedb:status':
		case 'updbst':
			$pending = $kernel->pending();
			if ( ! $pending ) {
				say( 'success', 'No database updates required.' );
			} elseif ( 'json' === ( $options['format'] ?? 'table' ) ) {
				rows( $pending, $options, array() );
			} else {
				echo table_of( $pending );
			}
			break;
		case 'updatedb':
		case 'updb':
			foreach ( \Drupal::moduleHandler()->invokeAll( 'requirements', array( 'update' ) ) as $one ) {
				if ( 2 === ( $one['severity'] ?? 0 ) ) {
					say( 'error', $one['description'] );
					echo "\n // Requirements check reports errors. Do you wish to continue?: yes.\n\n";
				}
			}
			$pending = $kernel->pending();
			if ( ! $pending ) {
				say( 'success', 'No pending updates.' );
			} else {
				echo table_of( $pending ) . "\n\n // Do you wish to run the specified pending updates?: yes.                     \n\n";
				$was = $kernel->state( 'system.maintenance_mode' );
				$kernel->set_state( 'system.maintenance_mode', true );
				foreach ( $pending as $function => $one ) {
					fwrite( STDERR, ">  [notice] Update started: $function\n" );
					$function();
					$kernel->set( 'system.schema', $one['module'], $one['update_id'] );
					fwrite( STDERR, ">  [notice] Update completed: $function\n" );
				}
				$kernel->set_state( 'system.maintenance_mode', (bool) $was );
				say( 'success', 'Finished performing updates.' );
			}
			$kernel->flush();
			break;
		case 'cache:rebuild':
		case 'cr':
			$kernel->flush();
			say( 'success', 'Cache rebuild complete.' );
			break;
		case 'maint:set':
			$kernel->set_state( 'system.maintenance_mode', (bool) $words[1] );
			break;
		case 'maint:get':
			echo $kernel->state( 'system.maintenance_mode' ) ? "1\n" : "0\n";
			break;
		case 'maint:status':
			exit( $kernel->state( 'system.maintenance_mode' ) ? 3 : 0 );
		case 'state:get':
			echo $kernel->state( $words[1] ) . "\n";
			break;
		case 'state:set':
			$kernel->set_state( $words[1], 'integer' === ( $options['input-format'] ?? '' ) ? (int) $words[2] : $words[2] );
			break;
		case 'config:status':
			$states = array();
			$files  = array();
			foreach ( glob( "$project/config/sync/*.yml" ) ?: array() as $file ) {
				$files[ basename( $file, '.yml' ) ] = json_decode( (string) file_get_contents( $file ), true );
			}
			foreach ( $kernel->all( "SELECT name, data FROM {config} WHERE collection = '' ORDER BY name" ) as $row ) {
				$state = ! array_key_exists( $row['name'], $files ) ? 'Only in DB' : ( unserialize( $row['data'] ) == $files[ $row['name'] ] ? null : 'Different' );
				if ( $state ) {
					$states[ $row['name'] ] = array( 'name' => $row['name'], 'state' => $state );
				}
			}
			if ( ! $states ) {
				say( 'notice', 'No differences between DB and sync directory.' );
			}
			rows( $states, $options, array() );
			break;
		case 'core:requirements':
			rows( \Drupal::moduleHandler()->invokeAll( 'requirements', array( 'runtime' ) ), $options, array() );
			break;
		case 'php:script':
			foreach ( array( $words[1], ( $options['script-path'] ?? '.' ) . '/' . $words[1], ( $options['script-path'] ?? '.' ) . '/' . $words[1] . '.php' ) as $file ) {
				if ( is_file( $file ) ) {
					include $file;
					break 2;
				}
			}
			throw new \Exception( "Unable to find any of the following: {$words[1]}" );
		case 'pm:security':
			throw new \Exception( 'pm:security has been removed. Please use `composer audit` command. See https://www.drupal.org/project/project_composer/issues/3301876.' );
		default:
			fwrite( STDERR, "\n  There are no commands defined in the \"" . strtok( $command, ':' ) . "\" namespace.  \n\n" );
			exit( 1 );
	}
} catch ( \Throwable $error ) {
	fwrite( STDERR, "\nIn " . basename( $error->getFile() ) . " line {$error->getLine()}:\n\n  {$error->getMessage()}  \n\n" );
	exit( 1 );
}
